; Items. See ../README.md for what each capture means.

(function_item name: (_) @name body: (_) @body) @item.function
(function_signature_item name: (_) @name) @item.function
(struct_item name: (_) @name body: (field_declaration_list) @body) @item.class
(struct_item name: (_) @name) @item.class
(union_item name: (_) @name body: (_) @body) @item.enum
(enum_item name: (_) @name body: (_) @body) @item.enum
(trait_item name: (_) @name body: (_) @body) @item.interface
(mod_item name: (_) @name body: (_) @body) @item.module
(mod_item name: (_) @name) @item.module
(const_item name: (_) @name value: (_) @value) @item.constant
(const_item name: (_) @name) @item.constant
(static_item name: (_) @name value: (_) @value) @item.constant
(static_item name: (_) @name) @item.constant
(type_item name: (_) @name) @item.type
(associated_type name: (_) @name) @item.type
(macro_definition name: (_) @name) @item.macro

(impl_item
  type: [
    (type_identifier) @name
    (primitive_type) @name
    (generic_type type: (type_identifier) @name)
    (scoped_type_identifier name: (_) @name)
    (generic_type type: (scoped_type_identifier name: (_) @name))
    (reference_type type: (type_identifier) @name)
    (reference_type type: (generic_type type: (type_identifier) @name))
  ]
  body: (_) @body) @item.implementation
(impl_item type: (_) @name body: (_) @body) @item.implementation

; What belongs to the item below it.
(line_comment outer: (_)) @doc
(block_comment outer: (_)) @doc
(attribute_item (attribute (identifier) @_name value: (_)) (#eq? @_name "doc")) @doc
(attribute_item) @attribute

; Documentation inside what it documents.
(mod_item body: (declaration_list . (line_comment inner: (_))+ @doc.inner)) @documented
(source_file . (line_comment inner: (_))+ @doc.inner) @documented
(source_file . (block_comment inner: (_)) @doc.inner) @documented

; What other modules can name.
(_ (visibility_modifier)) @public
(trait_item (visibility_modifier) body: (declaration_list (_) @public))
(impl_item trait: (_) body: (declaration_list (_) @public))
(attribute_item (attribute (identifier) @_name) (#eq? @_name "macro_export")) @public
