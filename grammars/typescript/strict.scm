; Of TypeScript alone.

; An overload without its function.
(program (function_signature) @refused .)
(statement_block (function_signature) @refused .)
(class_body (method_signature) @refused .)

; An imported module can stand in a namespace.
(internal_module (statement_block (import_statement) @accepted))
(module (statement_block (import_statement) @accepted))
