; What is seen inside an item.

(function_definition) @function

(function_definition parameters: (parameters (identifier) @name @parameter))
(function_definition parameters: (parameters (default_parameter name: (_) @name) @parameter))
(function_definition parameters: (parameters (typed_parameter . (_) @name type: (_) @detail) @parameter))
(function_definition parameters: (parameters (typed_default_parameter name: (_) @name type: (_) @detail) @parameter))
(function_definition parameters: (parameters [(list_splat_pattern) (dictionary_splat_pattern)] @name @parameter))
(function_definition return_type: (_) @detail @return_type)

; The receiver of a chained call is a call of its own.
(call
  function: (attribute
    object: [(call) (parenthesized_expression) (string) (subscript)]
    "." @name
    attribute: (_) @name)) @call
(call function: (_) @name) @call

(return_statement (_)? @detail) @return

(raise_statement . "raise" @name . (_)? @detail) @raise
(assert_statement "assert" @name . (_) @detail) @raise

(if_statement "if" @name condition: (_) @detail) @branch
(elif_clause "elif" @name condition: (_) @detail) @branch
(match_statement "match" @name subject: (_) @detail) @branch
(conditional_expression "if" @name . (_) @detail) @branch
(except_clause "except" @name . (_)? @detail) @branch

(for_statement "for" @name left: (_) @detail right: (_) @detail) @loop
(while_statement "while" @name condition: (_) @detail) @loop
(for_in_clause "for" @name left: (_) @detail right: (_) @detail) @loop

(assignment left: [(attribute) (subscript)] @name right: (_) @detail) @mutation.member
(augmented_assignment left: [(attribute) (subscript)] @name right: (_) @detail) @mutation.member
(delete_statement [(attribute) (subscript)] @name) @mutation.member
(global_statement (identifier) @name) @mutation
(nonlocal_statement (identifier) @name) @mutation

(await "await" @name (_) @detail) @suspension
(yield "yield" @name (_)? @detail) @suspension
