; Of C++ alone.

(field_declaration declarator: (function_declarator)) @function
(lambda_expression body: (_)) @function

(function_declarator
  declarator: [(identifier) (field_identifier) (qualified_identifier) (operator_name) (destructor_name)]
  parameters: (parameter_list [
    (parameter_declaration
      (type_qualifier)? @detail
      type: (_) @detail
      declarator: [
        (identifier) @name
        (pointer_declarator "*" @detail declarator: (identifier) @name)
        (reference_declarator ["&" "&&"] @detail (identifier) @name)
      ])
    (optional_parameter_declaration
      (type_qualifier)? @detail
      type: (_) @detail
      declarator: [
        (identifier) @name
        (pointer_declarator "*" @detail declarator: (identifier) @name)
        (reference_declarator ["&" "&&"] @detail (identifier) @name)
      ])
  ] @parameter))
(function_definition type: (_) @detail @return_type declarator: (reference_declarator ["&" "&&"] @detail))
(function_declarator (trailing_return_type (_) @detail) @return_type)

(call_expression function: (template_function name: (_) @name)) @call
(call_expression function: (qualified_identifier) @name) @call
(new_expression "new" @name type: (_) @name) @call

(throw_statement "throw" @name (_)? @detail) @raise
(catch_clause "catch" @name parameters: (parameter_list . (_)? @detail)) @branch
(for_range_loop "for" @name type: (_) @detail right: (_) @detail) @loop

(for_range_loop declarator: [(identifier) @local (reference_declarator (identifier) @local)])
(init_declarator declarator: (reference_declarator (identifier) @local))
(structured_binding_declarator (identifier) @local)

(co_await_expression) @suspension
(co_yield_statement "co_yield" @name (_) @detail) @suspension
(co_return_statement (_)? @detail) @return
