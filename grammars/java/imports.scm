; Imports.

(import_declaration) @import

(import_declaration [(scoped_identifier) (identifier)] @prefix (asterisk) @glob) @group
((import_declaration [(scoped_identifier) (identifier)] @leaf) @_whole (#not-match? @_whole "\\*\\s*;?$"))
