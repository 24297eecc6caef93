; Imports.

(import_spec) @import

(import_spec !name path: (_ (_) @leaf))
(import_spec name: [(package_identifier) (blank_identifier)] @alias path: (_ (_) @leaf))
(import_spec name: (dot) path: (_ (_) @prefix)) @group @glob
