; What the grammar takes and the language refuses.

; Only imports and types at the top of a file; methods where it is no member of a package.
(program
  [
    (expression_statement) (local_variable_declaration) (if_statement) (for_statement)
    (enhanced_for_statement) (while_statement) (do_statement) (try_statement) (return_statement)
    (throw_statement) (switch_expression) (synchronized_statement) (block) (assert_statement)
    (labeled_statement) (break_statement) (continue_statement)
  ] @refused)
(program (package_declaration) (method_declaration) @refused)
(program
  [(class_declaration) (interface_declaration) (enum_declaration) (record_declaration)]
  [(import_declaration) (package_declaration)] @refused)

; A value that nothing uses.
(expression_statement
  [
    (identifier) (field_access) (binary_expression) (array_access) (ternary_expression)
    (string_literal) (decimal_integer_literal) (true) (false) (null_literal) (this)
    (parenthesized_expression) (lambda_expression) (class_literal) (cast_expression)
  ]) @refused
(switch_rule (expression_statement) @accepted)

; A method without a body in a class.
(class_body (method_declaration (modifiers ["abstract" "native"])) @accepted)
(class_body (method_declaration !body) @refused)

; A doc comment that belongs to nothing.
((program (block_comment) @refused .) (#match? @refused "^/\\*\\*"))
((block (block_comment) @refused .) (#match? @refused "^/\\*\\*"))
((class_body (block_comment) @refused .) (#match? @refused "^/\\*\\*"))
