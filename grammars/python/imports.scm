; Imports: groups give a prefix to every leaf inside them.

(import_statement) @import
(import_from_statement) @import
(future_import_statement) @import

(import_from_statement module_name: (_) @prefix) @group
(future_import_statement "__future__" @prefix) @group

(import_statement name: (dotted_name) @leaf)
(import_from_statement name: (dotted_name) @leaf)
(future_import_statement name: (dotted_name) @leaf)
(aliased_import name: (_) @leaf alias: (_) @alias)
(wildcard_import) @glob
