; What is seen inside an item.

(function_declaration) @function
(generator_function_declaration) @function
(function_expression) @function
(method_definition) @function
; A function that is one expression is told of where it stands, unless it has a name.
(arrow_function body: (statement_block)) @function
(variable_declarator value: (arrow_function) @function)

; The receiver of a chained call is a call of its own.
(call_expression
  function: (member_expression
    object: [(call_expression) (await_expression) (parenthesized_expression) (string) (template_string) (array) (subscript_expression) (new_expression)]
    "." @name
    property: (_) @name)) @call
(call_expression function: [(identifier) (member_expression) (super) (subscript_expression)] @name) @call
(new_expression constructor: (_) @name) @call

(return_statement (_)? @detail) @return
(variable_declarator value: (arrow_function body: (expression) @detail @return))

(throw_statement "throw" @name . (_) @detail) @raise

(if_statement "if" @name condition: (parenthesized_expression . (_) @detail .)) @branch
(switch_statement "switch" @name value: (parenthesized_expression . (_) @detail .)) @branch
(ternary_expression condition: (_) @detail "?" @name) @branch
(catch_clause "catch" @name parameter: (_)? @detail) @branch

(for_statement "for" @name initializer: (_) @detail condition: (_) @detail) @loop
(for_in_statement "for" @name left: (_) @detail right: (_) @detail) @loop
(while_statement "while" @name condition: (parenthesized_expression . (_) @detail .)) @loop
(do_statement "do" @name condition: (parenthesized_expression . (_) @detail .)) @loop

(assignment_expression left: [(member_expression) (subscript_expression)] @name right: (_) @detail) @mutation.member
(augmented_assignment_expression left: [(member_expression) (subscript_expression)] @name right: (_) @detail) @mutation.member
(update_expression argument: [(member_expression) (subscript_expression)] @name) @mutation.member
(unary_expression "delete" argument: [(member_expression) (subscript_expression)] @name) @mutation.member
(assignment_expression left: (identifier) @name right: (_) @detail) @mutation.free
(augmented_assignment_expression left: (identifier) @name right: (_) @detail) @mutation.free
(update_expression argument: (identifier) @name) @mutation.free

(variable_declarator name: (identifier) @local)
(variable_declarator name: (array_pattern (identifier) @local))
(variable_declarator name: (object_pattern (shorthand_property_identifier_pattern) @local))
(variable_declarator name: (object_pattern (pair_pattern value: (identifier) @local)))
(for_in_statement kind: _ left: (identifier) @local)
(catch_clause parameter: (identifier) @local)

(await_expression "await" @name (_) @detail) @suspension
(yield_expression "yield" @name (_)? @detail) @suspension
