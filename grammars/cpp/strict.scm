; Of C++ alone.

(translation_unit [(for_range_loop) (try_statement) (throw_statement)] @refused)
(declaration_list
  [
    (expression_statement) (if_statement) (for_statement) (while_statement) (return_statement)
    (for_range_loop) (throw_statement)
  ] @refused)
(declaration_list (expression_statement (call_expression)) @accepted)
