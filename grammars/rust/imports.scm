; Imports: groups give a prefix to every leaf inside them.

(use_declaration) @import
(extern_crate_declaration) @import

(scoped_use_list path: (_) @prefix) @group

(use_declaration argument: [(identifier) (scoped_identifier) (crate) (self) (super)] @leaf)
(use_list [(identifier) (scoped_identifier) (crate) (self) (super)] @leaf)
(use_as_clause path: (_) @leaf alias: (_) @alias)
(use_wildcard (_) @prefix) @group @glob
(use_list (use_wildcard . "*") @glob)
(extern_crate_declaration name: (_) @leaf alias: (_) @alias)
(extern_crate_declaration name: (_) @leaf !alias)
