; Items. See ../README.md for what each capture means.

(class_definition
  name: (_) @name
  superclasses: (argument_list [
    (identifier) @_base
    (attribute attribute: (identifier) @_base)
  ])
  body: (_) @body
  (#any-of? @_base "Enum" "IntEnum" "StrEnum" "Flag" "IntFlag")) @item.enum
(class_definition
  name: (_) @name
  superclasses: (argument_list [
    (identifier) @_base
    (attribute attribute: (identifier) @_base)
    (subscript value: (identifier) @_base)
  ])
  body: (_) @body
  (#any-of? @_base "Protocol" "ABC")) @item.interface
(class_definition name: (_) @name body: (_) @body) @item.class
(function_definition name: (_) @name body: (_) @body) @item.function
(module (expression_statement (assignment left: (identifier) @name right: (_) @value)) @item.constant)
(module (expression_statement (assignment left: (identifier) @name)) @item.constant)
(module (type_alias_statement left: (type (identifier) @name)) @item.type)

; A definition with what stands around it.
(decorated_definition definition: (_) @wrapped) @wrapper

; Documentation inside what it documents.
(function_definition body: (block . (expression_statement . (string) @doc.inner .))) @documented
(class_definition body: (block . (expression_statement . (string) @doc.inner .))) @documented
(module . (comment)* . (expression_statement . (string) @doc.inner .)) @documented
