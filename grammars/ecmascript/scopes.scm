; Statements, blocks, lists, literals and names. One pattern per kind: alternatives at the top of a
; pattern stay in progress while the tree is descended, which costs a deep one dearly.

(import_statement) @statement
(export_statement) @statement
(debugger_statement) @statement
(expression_statement) @statement
(function_declaration) @statement
(generator_function_declaration) @statement
(class_declaration) @statement
(lexical_declaration) @statement
(variable_declaration) @statement
(if_statement) @statement
(switch_statement) @statement
(for_statement) @statement
(for_in_statement) @statement
(while_statement) @statement
(do_statement) @statement
(try_statement) @statement
(with_statement) @statement
(break_statement) @statement
(continue_statement) @statement
(return_statement) @statement
(throw_statement) @statement
(empty_statement) @statement
(labeled_statement) @statement
(method_definition) @statement
(class_static_block) @statement

(program) @block
(statement_block) @block
(class_body) @block
(switch_body) @block

(arguments) @list
(formal_parameters) @list
(array) @list
(array_pattern) @list
(object) @list
(object_pattern) @list
(parenthesized_expression) @list
(named_imports) @list
(export_clause) @list
(subscript_expression) @list

(string) @literal
(template_string) @literal
(template_substitution) @code
(regex) @literal
((comment) @literal (#match? @literal "^/\\*"))
((comment) @literal.line (#match? @literal.line "^//"))

(identifier) @identifier
(property_identifier) @identifier
(shorthand_property_identifier) @identifier
(shorthand_property_identifier_pattern) @identifier
(private_property_identifier) @identifier
