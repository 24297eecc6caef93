; What is seen inside an item.

(function_item) @function
(function_signature_item) @function

(function_item parameters: (parameters (parameter pattern: (_) @name type: (_) @detail) @parameter))
(function_item parameters: (parameters (self_parameter (self) @name) @parameter))
(function_signature_item parameters: (parameters (parameter pattern: (_) @name type: (_) @detail) @parameter))
(function_signature_item parameters: (parameters (self_parameter (self) @name) @parameter))
(function_item return_type: (_) @detail @return_type)
(function_signature_item return_type: (_) @detail @return_type)

; The receiver of a chained call is a call of its own.
(call_expression
  function: (field_expression
    value: [(call_expression) (await_expression) (try_expression) (macro_invocation) (parenthesized_expression) (match_expression) (closure_expression)]
    "." @name
    field: (_) @name)) @call
(call_expression
  function: (generic_function
    function: (field_expression
      value: [(call_expression) (await_expression) (try_expression)]
      "." @name
      field: (_) @name))) @call
(call_expression function: (generic_function function: (_) @name)) @call
(call_expression function: (_) @name) @call
(macro_invocation macro: (_) @name "!" @name) @call
; Inside a macro there are only tokens.
(token_tree (identifier) @name @call . (token_tree . "("))

(return_expression (_)? @detail) @return
(function_item body: (block (_expression) @detail @return .))
(function_item
  return_type: (_)
  body: (block (expression_statement) @detail @return .)
  (#not-match? @return ";$"))

(try_expression (_) @detail "?" @name) @raise
(macro_invocation
  macro: (identifier) @name
  "!" @name
  (token_tree) @detail
  (#any-of? @name "panic" "unreachable" "todo" "unimplemented" "assert" "assert_eq" "assert_ne" "!")) @raise
(call_expression
  function: (field_expression value: (_) @detail field: (field_identifier) @name)
  (#any-of? @name "unwrap" "expect" "unwrap_err" "expect_err")) @raise

(if_expression "if" @name condition: (_) @detail) @branch
(match_expression "match" @name value: (_) @detail) @branch
(let_declaration pattern: (_) @detail value: (_) @detail "else" @name) @branch

(for_expression "for" @name pattern: (_) @detail value: (_) @detail) @loop
(while_expression "while" @name condition: (_) @detail) @loop
(loop_expression "loop" @name) @loop

(assignment_expression left: (unary_expression "*") @name right: (_) @detail) @mutation
(compound_assignment_expr left: (unary_expression "*") @name right: (_) @detail) @mutation
(assignment_expression left: [(field_expression) (index_expression)] @name right: (_) @detail) @mutation.member
(compound_assignment_expr left: [(field_expression) (index_expression)] @name right: (_) @detail) @mutation.member
(assignment_expression left: (identifier) @name right: (_) @detail (#match? @name "^[A-Z][A-Z0-9_]+$")) @mutation
(compound_assignment_expr left: (identifier) @name right: (_) @detail (#match? @name "^[A-Z][A-Z0-9_]+$")) @mutation

(await_expression (_) @detail "await" @name) @suspension
(yield_expression "yield" @name (_)? @detail) @suspension

(unsafe_block "unsafe" @name) @unsafe
