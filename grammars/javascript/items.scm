; Items of JavaScript alone.

(class_body (field_definition property: (_) @name value: (arrow_function body: (_) @body)) @item.function)
(class_body (field_definition value: (arrow_function)) @public)
(field_definition property: (private_property_identifier)) @private

; What a type holds.
(class_body (field_definition value: (_)? @_value) @field (#not-match? @_value "=>"))
