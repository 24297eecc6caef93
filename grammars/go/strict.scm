; What the grammar takes and the language refuses.

; Statements only in functions.
(source_file
  [
    (expression_statement) (short_var_declaration) (assignment_statement) (return_statement)
    (if_statement) (for_statement) (expression_switch_statement) (type_switch_statement)
    (select_statement) (go_statement) (defer_statement) (inc_statement) (dec_statement)
    (send_statement) (labeled_statement) (block) (break_statement) (continue_statement)
  ] @refused)

; Imports before everything else, the package before them.
(source_file
  [(function_declaration) (method_declaration) (type_declaration) (const_declaration) (var_declaration)]
  (import_declaration) @refused)
(source_file
  [(import_declaration) (function_declaration) (method_declaration) (type_declaration)]
  (package_clause) @refused)
(source_file (package_clause) (package_clause) @refused)

; A value that nothing uses.
(expression_statement
  [
    (identifier) (selector_expression) (binary_expression) (index_expression) (slice_expression)
    (composite_literal) (func_literal) (int_literal) (float_literal) (interpreted_string_literal)
    (raw_string_literal) (rune_literal) (true) (false) (nil) (type_assertion_expression)
  ] @refused)

; Only a name can be declared.
(short_var_declaration left: (expression_list [(selector_expression) (index_expression) (call_expression)] @refused))
