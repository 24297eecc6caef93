; Statements, blocks, lists, literals and names. One pattern per kind: alternatives at the top of a
; pattern stay in progress while the tree is descended, which costs a deep one dearly.

(package_clause) @statement
(import_declaration) @statement
(function_declaration) @statement
(method_declaration) @statement
(type_declaration) @statement
(const_declaration) @statement
(var_declaration) @statement
(short_var_declaration) @statement
(assignment_statement) @statement
(expression_statement) @statement
(inc_statement) @statement
(dec_statement) @statement
(send_statement) @statement
(go_statement) @statement
(defer_statement) @statement
(return_statement) @statement
(if_statement) @statement
(for_statement) @statement
(expression_switch_statement) @statement
(type_switch_statement) @statement
(select_statement) @statement
(labeled_statement) @statement
(fallthrough_statement) @statement
(break_statement) @statement
(continue_statement) @statement
(goto_statement) @statement

(source_file) @block
(block) @block
(expression_switch_statement) @block
(type_switch_statement) @block
(select_statement) @block
(field_declaration_list) @block
(interface_type) @block

(argument_list) @list
(parameter_list) @list
(type_arguments) @list
(type_parameter_list) @list
(parenthesized_expression) @list
(literal_value) @list
(index_expression) @list
(slice_expression) @list
(import_spec_list) @list

(interpreted_string_literal) @literal
(raw_string_literal) @literal
(rune_literal) @literal
((comment) @literal (#match? @literal "^/\\*"))
((comment) @literal.line (#match? @literal.line "^//"))

(identifier) @identifier
(type_identifier) @identifier
(field_identifier) @identifier
(package_identifier) @identifier
