; Statements, blocks, lists, literals and names. One pattern per kind: alternatives at the top of a
; pattern stay in progress while the tree is descended, which costs a deep one dearly.

(preproc_include) @statement
(preproc_def) @statement
(preproc_function_def) @statement
(preproc_call) @statement
(function_definition) @statement
(declaration) @statement
(type_definition) @statement
(linkage_specification) @statement
(translation_unit (struct_specifier) @statement)
(translation_unit (union_specifier) @statement)
(translation_unit (enum_specifier) @statement)
(field_declaration) @statement
(expression_statement) @statement
(if_statement) @statement
(switch_statement) @statement
(case_statement) @statement
(for_statement) @statement
(while_statement) @statement
(do_statement) @statement
(labeled_statement) @statement
(return_statement) @statement
(break_statement) @statement
(continue_statement) @statement
(goto_statement) @statement

(translation_unit) @block
(compound_statement) @block
(declaration_list) @block
(field_declaration_list) @block
(enumerator_list) @block

(argument_list) @list
(parameter_list) @list
(parenthesized_expression) @list
(initializer_list) @list
(subscript_expression) @list
(preproc_params) @list

(string_literal) @literal
(char_literal) @literal
(system_lib_string) @literal
((comment) @literal (#match? @literal "^/\\*"))
((comment) @literal.line (#match? @literal.line "^//"))

(identifier) @identifier
(type_identifier) @identifier
(field_identifier) @identifier
