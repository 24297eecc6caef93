; Statements, blocks, lists, literals and names. One pattern per kind: alternatives at the top of a
; pattern stay in progress while the tree is descended, which costs a deep one dearly.

(assert_statement) @statement
(break_statement) @statement
(continue_statement) @statement
(delete_statement) @statement
(exec_statement) @statement
(expression_statement) @statement
(future_import_statement) @statement
(global_statement) @statement
(import_from_statement) @statement
(import_statement) @statement
(nonlocal_statement) @statement
(pass_statement) @statement
(print_statement) @statement
(raise_statement) @statement
(return_statement) @statement
(type_alias_statement) @statement
(class_definition) @statement
(decorated_definition) @statement
(for_statement) @statement
(function_definition) @statement
(if_statement) @statement
(match_statement) @statement
(try_statement) @statement
(while_statement) @statement
(with_statement) @statement

(block) @block
(module) @block

(argument_list) @list
(parameters) @list
(parenthesized_expression) @list
(tuple) @list
(list) @list
(set) @list
(dictionary) @list
(list_comprehension) @list
(set_comprehension) @list
(dictionary_comprehension) @list
(generator_expression) @list
(subscript) @list
(import_from_statement) @list
(tuple_pattern) @list
(list_pattern) @list

(string) @literal
(interpolation) @code
(comment) @literal.line

(identifier) @identifier
