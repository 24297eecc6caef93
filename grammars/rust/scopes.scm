; Statements, blocks, lists, literals and names. One pattern per kind: alternatives at the top of a
; pattern stay in progress while the tree is descended, which costs a deep one dearly.

(block (_expression) @statement)
(let_declaration) @statement
(expression_statement) @statement
(empty_statement) @statement
(function_item) @statement
(function_signature_item) @statement
(struct_item) @statement
(union_item) @statement
(enum_item) @statement
(trait_item) @statement
(impl_item) @statement
(mod_item) @statement
(const_item) @statement
(static_item) @statement
(type_item) @statement
(associated_type) @statement
(use_declaration) @statement
(extern_crate_declaration) @statement
(foreign_mod_item) @statement
(macro_definition) @statement
(source_file (macro_invocation) @statement)
(declaration_list (macro_invocation) @statement)
(match_arm value: (_) @statement)

(block) @block
(declaration_list) @block
(match_block) @block
(field_declaration_list) @block
(enum_variant_list) @block
(source_file) @block

(arguments) @list
(parameters) @list
(closure_parameters) @list
(type_parameters) @list
(type_arguments) @list
(array_expression) @list
(tuple_expression) @list
(tuple_pattern) @list
(tuple_type) @list
(ordered_field_declaration_list) @list
(parenthesized_expression) @list
(field_initializer_list) @list
(index_expression) @list
(token_tree) @list
(use_list) @list

(string_literal) @literal
(raw_string_literal) @literal
(char_literal) @literal
(block_comment) @literal
(line_comment) @literal.line

(identifier) @identifier
(type_identifier) @identifier
(field_identifier) @identifier
(shorthand_field_identifier) @identifier
