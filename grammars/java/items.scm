; Items. See ../README.md for what each capture means.

(class_declaration name: (_) @name body: (_) @body) @item.class
(record_declaration name: (_) @name body: (_) @body) @item.class
(interface_declaration name: (_) @name body: (_) @body) @item.interface
(annotation_type_declaration name: (_) @name body: (_) @body) @item.interface
(enum_declaration name: (_) @name body: (_) @body) @item.enum
(method_declaration name: (_) @name body: (_) @body) @item.function
(method_declaration name: (_) @name) @item.function
(constructor_declaration name: (_) @name body: (_) @body) @item.function
(compact_constructor_declaration name: (_) @name body: (_) @body) @item.function
(annotation_type_element_declaration name: (_) @name) @item.function

(interface_body (constant_declaration declarator: (variable_declarator name: (_) @name value: (_) @value)) @item.constant)
((field_declaration
  (modifiers "static" "final")
  declarator: (variable_declarator name: (_) @name value: (_) @value)) @item.constant)
((field_declaration
  (modifiers "static" "final")
  declarator: (variable_declarator name: (_) @name)) @item.constant)

; What belongs to the item. An annotation is part of the modifiers.
((block_comment) @doc (#match? @doc "^/\\*\\*"))
(modifiers [(marker_annotation) (annotation)] @attribute)

; What other files cannot name.
(class_declaration (modifiers "private")) @private
(record_declaration (modifiers "private")) @private
(interface_declaration (modifiers "private")) @private
(enum_declaration (modifiers "private")) @private
(method_declaration (modifiers "private")) @private
(constructor_declaration (modifiers "private")) @private
(field_declaration (modifiers "private")) @private

; What a type holds.
(class_body (field_declaration) @field)
(enum_body (enum_constant) @field)
(enum_body_declarations (field_declaration) @field)
