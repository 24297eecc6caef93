; Parameters and results with types.

(function_declaration
  parameters: (formal_parameters [
    (required_parameter pattern: (_) @name type: (type_annotation (_) @detail))
    (required_parameter pattern: (_) @name !type)
    (optional_parameter pattern: (_) @name type: (type_annotation (_) @detail))
    (optional_parameter pattern: (_) @name !type)
  ] @parameter))
(generator_function_declaration
  parameters: (formal_parameters [
    (required_parameter pattern: (_) @name type: (type_annotation (_) @detail))
    (required_parameter pattern: (_) @name !type)
    (optional_parameter pattern: (_) @name type: (type_annotation (_) @detail))
    (optional_parameter pattern: (_) @name !type)
  ] @parameter))
(function_expression
  parameters: (formal_parameters [
    (required_parameter pattern: (_) @name type: (type_annotation (_) @detail))
    (required_parameter pattern: (_) @name !type)
    (optional_parameter pattern: (_) @name type: (type_annotation (_) @detail))
    (optional_parameter pattern: (_) @name !type)
  ] @parameter))
(function_signature
  parameters: (formal_parameters [
    (required_parameter pattern: (_) @name type: (type_annotation (_) @detail))
    (required_parameter pattern: (_) @name !type)
    (optional_parameter pattern: (_) @name type: (type_annotation (_) @detail))
    (optional_parameter pattern: (_) @name !type)
  ] @parameter))
(method_definition
  parameters: (formal_parameters [
    (required_parameter pattern: (_) @name type: (type_annotation (_) @detail))
    (required_parameter pattern: (_) @name !type)
    (optional_parameter pattern: (_) @name type: (type_annotation (_) @detail))
    (optional_parameter pattern: (_) @name !type)
  ] @parameter))
(method_signature
  parameters: (formal_parameters [
    (required_parameter pattern: (_) @name type: (type_annotation (_) @detail))
    (required_parameter pattern: (_) @name !type)
    (optional_parameter pattern: (_) @name type: (type_annotation (_) @detail))
    (optional_parameter pattern: (_) @name !type)
  ] @parameter))
(abstract_method_signature
  parameters: (formal_parameters [
    (required_parameter pattern: (_) @name type: (type_annotation (_) @detail))
    (required_parameter pattern: (_) @name !type)
    (optional_parameter pattern: (_) @name type: (type_annotation (_) @detail))
    (optional_parameter pattern: (_) @name !type)
  ] @parameter))
(arrow_function
  parameters: (formal_parameters [
    (required_parameter pattern: (_) @name type: (type_annotation (_) @detail))
    (required_parameter pattern: (_) @name !type)
    (optional_parameter pattern: (_) @name type: (type_annotation (_) @detail))
    (optional_parameter pattern: (_) @name !type)
  ] @parameter)
  body: (statement_block))
(variable_declarator value: (arrow_function
  parameters: (formal_parameters [
    (required_parameter pattern: (_) @name type: (type_annotation (_) @detail))
    (required_parameter pattern: (_) @name !type)
    (optional_parameter pattern: (_) @name type: (type_annotation (_) @detail))
    (optional_parameter pattern: (_) @name !type)
  ] @parameter)))
(variable_declarator value: (arrow_function parameter: (_) @name @parameter))

(class_body (public_field_definition value: (arrow_function) @function))
(public_field_definition value: (arrow_function
  parameters: (formal_parameters [
    (required_parameter pattern: (_) @name type: (type_annotation (_) @detail))
    (required_parameter pattern: (_) @name !type)
    (optional_parameter pattern: (_) @name type: (type_annotation (_) @detail))
    (optional_parameter pattern: (_) @name !type)
  ] @parameter)))
(public_field_definition value: (arrow_function body: (expression) @detail @return))

(function_signature) @function
(method_signature) @function
(abstract_method_signature) @function
(function_declaration return_type: (type_annotation (_) @detail) @return_type)
(function_signature return_type: (type_annotation (_) @detail) @return_type)
(method_definition return_type: (type_annotation (_) @detail) @return_type)
(method_signature return_type: (type_annotation (_) @detail) @return_type)
(abstract_method_signature return_type: (type_annotation (_) @detail) @return_type)
(variable_declarator value: (arrow_function return_type: (type_annotation (_) @detail) @return_type))
(call_expression function: (non_null_expression) @name) @call
(call_expression function: (instantiation_expression . (_) @name)) @call
