; Statements, blocks, lists, literals and names. One pattern per kind: alternatives at the top of a
; pattern stay in progress while the tree is descended, which costs a deep one dearly.

(package_declaration) @statement
(import_declaration) @statement
(class_declaration) @statement
(record_declaration) @statement
(interface_declaration) @statement
(annotation_type_declaration) @statement
(enum_declaration) @statement
(method_declaration) @statement
(constructor_declaration) @statement
(field_declaration) @statement
(constant_declaration) @statement
(static_initializer) @statement
(local_variable_declaration) @statement
(expression_statement) @statement
(if_statement) @statement
(for_statement) @statement
(enhanced_for_statement) @statement
(while_statement) @statement
(do_statement) @statement
(block (switch_expression) @statement)
(try_statement) @statement
(try_with_resources_statement) @statement
(synchronized_statement) @statement
(labeled_statement) @statement
(return_statement) @statement
(throw_statement) @statement
(break_statement) @statement
(continue_statement) @statement
(yield_statement) @statement
(assert_statement) @statement

(program) @block
(block) @block
(constructor_body) @block
(class_body) @block
(interface_body) @block
(enum_body) @block
(annotation_type_body) @block
(switch_block) @block

(argument_list) @list
(formal_parameters) @list
(annotation_argument_list) @list
(array_initializer) @list
(element_value_array_initializer) @list
(parenthesized_expression) @list
(resource_specification) @list
(type_arguments) @list
(type_parameters) @list
(array_access) @list

(string_literal) @literal
(string_interpolation) @code
(character_literal) @literal
(block_comment) @literal
(line_comment) @literal.line

(identifier) @identifier
(type_identifier) @identifier
