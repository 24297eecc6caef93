; Items of TypeScript alone.

(abstract_class_declaration name: (_) @name body: (_) @body) @item.class
(interface_declaration name: (_) @name body: (_) @body) @item.interface
(enum_declaration name: (_) @name body: (_) @body) @item.enum
(type_alias_declaration name: (_) @name) @item.type
(internal_module name: (_) @name body: (_) @body) @item.module
(module name: (_) @name body: (_) @body) @item.module
(function_signature name: (_) @name) @item.function
(abstract_method_signature name: (_) @name) @item.function
(class_body (method_signature name: (_) @name) @item.function)
(interface_body (method_signature name: (_) @name) @item.function)
(class_body (public_field_definition name: (_) @name value: (arrow_function body: (_) @body)) @item.function)

; A variable of a namespace or of a declaration for other code.
(statement_block (export_statement (lexical_declaration (variable_declarator name: (identifier) @name value: (_) @value) @item.constant)))
(ambient_declaration (lexical_declaration (variable_declarator name: (identifier) @name) @item.constant))
(ambient_declaration (variable_declaration (variable_declarator name: (identifier) @name) @item.constant))

(ambient_declaration (_) @wrapped) @wrapper @public
(expression_statement (internal_module) @wrapped) @wrapper

; What other modules can name.
(class_body [(method_signature) (abstract_method_signature)] @public)
(class_body (public_field_definition value: (arrow_function)) @public)
(interface_body (method_signature) @public)
(method_definition (accessibility_modifier "private")) @private
(method_signature (accessibility_modifier "private")) @private
(public_field_definition (accessibility_modifier "private")) @private
(public_field_definition name: (private_property_identifier)) @private
(export_statement "=" (identifier) @public.name)

; What a type holds.
(class_body (public_field_definition !value) @field)
(class_body (public_field_definition value: (_) @_value) @field (#not-match? @_value "=>"))
(interface_body [(property_signature) (index_signature)] @field)
(enum_body [(property_identifier) (enum_assignment)] @field)
