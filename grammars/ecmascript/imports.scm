; Imports: groups give a prefix to every leaf inside them.

(import_statement) @import
(import_statement source: (string (string_fragment) @prefix)) @group
(import_clause (identifier) @default)
(import_specifier name: (identifier) @leaf alias: (identifier) @alias)
(import_specifier name: (identifier) @leaf !alias)
(namespace_import (identifier) @alias) @glob
; For its effects alone.
(import_statement "import" . (string (string_fragment) @leaf)) @whole

; What is passed on is imported too.
(export_statement source: (_)) @import
(export_statement source: (string (string_fragment) @prefix)) @group
(export_statement (export_clause (export_specifier name: (identifier) @leaf alias: (identifier) @alias)) source: (_))
(export_statement (export_clause (export_specifier name: (identifier) @leaf !alias)) source: (_))
(export_statement (namespace_export (identifier) @alias) @glob source: (_))
(export_statement "*" @glob source: (_))

; require(…) and import(…)
(variable_declarator
  value: (call_expression
    function: (identifier) @_require
    arguments: (arguments . (string (string_fragment) @prefix) .))
  (#eq? @_require "require")) @group @import
(variable_declarator
  value: (await_expression
    (call_expression
      function: (import)
      arguments: (arguments . (string (string_fragment) @prefix))))) @group @import
(variable_declarator
  name: (identifier) @alias @glob
  value: (call_expression function: (identifier) @_require arguments: (arguments . (string) .))
  (#eq? @_require "require"))
(variable_declarator
  name: (object_pattern (shorthand_property_identifier_pattern) @leaf)
  value: (call_expression function: (identifier) @_require arguments: (arguments . (string) .))
  (#eq? @_require "require"))
(variable_declarator
  name: (object_pattern (pair_pattern key: (property_identifier) @leaf value: (identifier) @alias))
  value: (call_expression function: (identifier) @_require arguments: (arguments . (string) .))
  (#eq? @_require "require"))
(variable_declarator
  name: (identifier) @alias @glob
  value: (await_expression (call_expression function: (import) arguments: (arguments . (string)))))
(variable_declarator
  name: (object_pattern (shorthand_property_identifier_pattern) @leaf)
  value: (await_expression (call_expression function: (import) arguments: (arguments . (string)))))
