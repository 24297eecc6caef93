; Parameters without types.

(function_declaration
  parameters: (formal_parameters [
    (identifier) @name
    (assignment_pattern left: (_) @name)
    (rest_pattern) @name
    (object_pattern) @name
    (array_pattern) @name
  ] @parameter))
(generator_function_declaration
  parameters: (formal_parameters [
    (identifier) @name
    (assignment_pattern left: (_) @name)
    (rest_pattern) @name
    (object_pattern) @name
    (array_pattern) @name
  ] @parameter))
(function_expression
  parameters: (formal_parameters [
    (identifier) @name
    (assignment_pattern left: (_) @name)
    (rest_pattern) @name
    (object_pattern) @name
    (array_pattern) @name
  ] @parameter))
(method_definition
  parameters: (formal_parameters [
    (identifier) @name
    (assignment_pattern left: (_) @name)
    (rest_pattern) @name
    (object_pattern) @name
    (array_pattern) @name
  ] @parameter))
(arrow_function
  parameters: (formal_parameters [
    (identifier) @name
    (assignment_pattern left: (_) @name)
    (rest_pattern) @name
    (object_pattern) @name
    (array_pattern) @name
  ] @parameter)
  body: (statement_block))
(variable_declarator value: (arrow_function
  parameters: (formal_parameters [
    (identifier) @name
    (assignment_pattern left: (_) @name)
    (rest_pattern) @name
    (object_pattern) @name
    (array_pattern) @name
  ] @parameter)))
(variable_declarator value: (arrow_function parameter: (_) @name @parameter))

(class_body (field_definition value: (arrow_function) @function))
(field_definition value: (arrow_function
  parameters: (formal_parameters [(identifier) (object_pattern) (rest_pattern)] @name @parameter)))
(field_definition value: (arrow_function body: (expression) @detail @return))
