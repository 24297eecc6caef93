; What the grammar takes and the language refuses.

; Statements only in functions; a call may be a macro that declares something.
(translation_unit (expression_statement (call_expression)) @accepted)
(translation_unit
  [
    (expression_statement) (if_statement) (for_statement) (while_statement) (do_statement)
    (switch_statement) (case_statement) (return_statement) (break_statement) (continue_statement)
    (goto_statement) (labeled_statement) (compound_statement)
  ] @refused)

; Functions only outside of functions.
(compound_statement (function_definition) @refused)

; Cases only in a switch.
(function_definition body: (compound_statement (case_statement) @refused))
