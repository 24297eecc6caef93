; What is seen inside an item.

(function_declaration) @function
(method_declaration) @function
(method_elem) @function
(func_literal) @function

(method_declaration receiver: (parameter_list (parameter_declaration name: (_) @name type: (_) @detail) @parameter))
(function_declaration parameters: (parameter_list (parameter_declaration name: (_) @name @parameter type: (_) @detail)))
(function_declaration parameters: (parameter_list (variadic_parameter_declaration name: (_) @name "..." @detail type: (_) @detail) @parameter))
(method_declaration parameters: (parameter_list (parameter_declaration name: (_) @name @parameter type: (_) @detail)))
(method_declaration parameters: (parameter_list (variadic_parameter_declaration name: (_) @name "..." @detail type: (_) @detail) @parameter))
(method_elem parameters: (parameter_list (parameter_declaration name: (_) @name @parameter type: (_) @detail)))
(function_declaration result: (_) @detail @return_type)
(method_declaration result: (_) @detail @return_type)
(method_elem result: (_) @detail @return_type)

((call_expression function: (identifier) @name arguments: (argument_list . (_) @detail .)) @raise (#eq? @name "panic"))

; The receiver of a chained call is a call of its own.
(call_expression
  function: (selector_expression
    operand: [(call_expression) (parenthesized_expression) (index_expression) (type_assertion_expression)]
    "." @name
    field: (_) @name)) @call
(call_expression function: [(identifier) (selector_expression)] @name) @call
(call_expression function: (index_expression operand: (_) @name)) @call

(return_statement (_)? @detail) @return

(if_statement "if" @name condition: (_) @detail) @branch
(expression_switch_statement "switch" @name value: (_)? @detail) @branch
(type_switch_statement "switch" @name value: (_) @detail) @branch
(select_statement "select" @name) @branch

(for_statement "for" @name (for_clause) @detail) @loop
(for_statement "for" @name (range_clause) @detail) @loop
(for_statement "for" @name . (block)) @loop
(for_statement "for" @name . (_) @detail . body: (_)) @loop

(assignment_statement left: (expression_list . [(selector_expression) (index_expression)] @name) right: (_) @detail) @mutation.member
(inc_statement [(selector_expression) (index_expression)] @name) @mutation.member
(dec_statement [(selector_expression) (index_expression)] @name) @mutation.member
(assignment_statement left: (expression_list . (unary_expression operator: "*") @name) right: (_) @detail) @mutation
((assignment_statement left: (expression_list . (identifier) @name .) right: (_) @detail) @mutation.free (#not-eq? @name "_"))
(inc_statement (identifier) @name) @mutation.free
(dec_statement (identifier) @name) @mutation.free

(short_var_declaration left: (expression_list (identifier) @local))
(var_spec name: (identifier) @local)
(range_clause left: (expression_list (identifier) @local))
(function_declaration result: (parameter_list (parameter_declaration name: (identifier) @local)))
(method_declaration result: (parameter_list (parameter_declaration name: (identifier) @local)))
(func_literal parameters: (parameter_list (parameter_declaration name: (identifier) @local)))

(unary_expression operator: "<-" @name operand: (_) @detail) @suspension
