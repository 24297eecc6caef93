; What the grammar takes and the language refuses.

; Statements of functions and loops.
(program (return_statement) @refused)
(class_static_block body: (statement_block (return_statement) @refused))
(program [(break_statement) (continue_statement)] @refused)

; A label on an expression is a property without its object.
(labeled_statement body: (expression_statement)) @refused

; Imports only at the top of a file.
(statement_block (import_statement) @refused)

; A doc comment that belongs to nothing.
((program (comment) @refused .) (#match? @refused "^/\\*\\*"))
((statement_block (comment) @refused .) (#match? @refused "^/\\*\\*"))
((class_body (comment) @refused .) (#match? @refused "^/\\*\\*"))
