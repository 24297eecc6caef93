; import cart = require("./cart")

(import_require_clause source: (string (string_fragment) @prefix)) @group
(import_require_clause (identifier) @alias @glob)
