; What is seen inside an item.

(function_definition) @function
(declaration declarator: (function_declarator)) @function

(function_declarator
  declarator: [(identifier) (field_identifier)]
  parameters: (parameter_list (parameter_declaration
    (type_qualifier)? @detail
    type: (_) @detail
    declarator: [
      (identifier) @name
      (array_declarator declarator: (identifier) @name)
      (pointer_declarator "*" @detail declarator: (identifier) @name)
      (pointer_declarator declarator: (pointer_declarator "*" @detail declarator: (identifier) @name))
      (function_declarator declarator: (parenthesized_declarator (pointer_declarator declarator: (identifier) @name)))
    ]) @parameter))
(function_definition type: (_) @detail @return_type declarator: (pointer_declarator "*" @detail))
(function_definition type: (_) @detail @return_type declarator: (function_declarator) (#not-eq? @return_type "void"))

; The receiver of a chained call is a call of its own.
(call_expression
  function: (field_expression
    argument: [(call_expression) (parenthesized_expression) (subscript_expression)]
    operator: _ @name
    field: (_) @name)) @call
(call_expression function: [(identifier) (field_expression)] @name) @call

(return_statement (_)? @detail) @return

((call_expression function: (identifier) @name arguments: (argument_list . (_) @detail)) @raise
  (#any-of? @name "assert" "static_assert"))
((call_expression function: (identifier) @name arguments: (argument_list)) @raise
  (#any-of? @name "abort" "exit" "_Exit" "longjmp"))

(switch_statement "switch" @name condition: (_ . (_) @detail .)) @branch
(conditional_expression condition: (_) @detail "?" @name) @branch
(if_statement "if" @name condition: (_ . (_) @detail .)) @branch

(for_statement "for" @name initializer: (_)? @detail condition: (_)? @detail) @loop
(while_statement "while" @name condition: (_ . (_) @detail .)) @loop
(do_statement "do" @name condition: (_ . (_) @detail .)) @loop

(assignment_expression left: [(field_expression) (subscript_expression)] @name right: (_) @detail) @mutation.member
(update_expression argument: [(field_expression) (subscript_expression)] @name) @mutation.member
(assignment_expression left: (pointer_expression operator: "*") @name right: (_) @detail) @mutation
(update_expression argument: (parenthesized_expression (pointer_expression operator: "*")) @name) @mutation
(assignment_expression left: (identifier) @name right: (_) @detail) @mutation.free
(update_expression argument: (identifier) @name) @mutation.free

(declaration declarator: [
  (identifier) @local
  (pointer_declarator declarator: (identifier) @local)
  (array_declarator declarator: (identifier) @local)
])
(init_declarator declarator: [
  (identifier) @local
  (pointer_declarator declarator: (identifier) @local)
  (array_declarator declarator: (identifier) @local)
])
