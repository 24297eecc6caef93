; Elements hold children as blocks hold statements.

(jsx_element) @block
(jsx_opening_element) @list
(jsx_self_closing_element) @list
(jsx_expression) @list
