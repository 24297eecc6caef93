; Of C++ alone.

(namespace_definition) @statement
(translation_unit (class_specifier) @statement)
(declaration_list (class_specifier) @statement)
(declaration_list (struct_specifier) @statement)
(template_declaration) @statement
(alias_declaration) @statement
(using_declaration) @statement
(static_assert_declaration) @statement
(for_range_loop) @statement
(try_statement) @statement
(throw_statement) @statement
(co_return_statement) @statement
(co_yield_statement) @statement

(template_parameter_list) @list
(template_argument_list) @list
(condition_clause) @list
(lambda_capture_specifier) @list

(raw_string_literal) @literal

(namespace_identifier) @identifier
