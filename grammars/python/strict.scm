; What the grammar takes and the language refuses.

; Python 2.
[(print_statement) (exec_statement)] @refused

; Statements of functions.
(module (return_statement) @refused)
(class_definition body: (block (return_statement) @refused))
