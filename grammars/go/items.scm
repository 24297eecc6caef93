; Items. See ../README.md for what each capture means.

(function_declaration name: (_) @name body: (_) @body) @item.function
(function_declaration name: (_) @name) @item.function

; A method's owner is the type of its receiver.
(method_declaration
  receiver: (parameter_list (parameter_declaration type: [
    (type_identifier) @owner
    (pointer_type (type_identifier) @owner)
    (generic_type type: (type_identifier) @owner)
    (pointer_type (generic_type type: (type_identifier) @owner))
  ]))
  name: (_) @name
  body: (_) @body) @item.function
(method_declaration
  receiver: (parameter_list (parameter_declaration type: [
    (type_identifier) @owner
    (pointer_type (type_identifier) @owner)
  ]))
  name: (_) @name) @item.function

(type_spec name: (_) @name type: (struct_type (field_declaration_list) @body)) @item.class
(type_spec name: (_) @name type: (interface_type "{" @body "}" @body)) @item.interface
(type_spec name: (_) @name) @item.type
(type_alias name: (_) @name) @item.type
(method_elem name: (_) @name) @item.function

(source_file (const_declaration (const_spec . name: (_) @name value: (_) @value) @item.constant))
(source_file (const_declaration (const_spec . name: (_) @name) @item.constant))
(source_file (var_declaration (var_spec . name: (_) @name value: (_) @value) @item.constant))
(source_file (var_declaration (var_spec . name: (_) @name) @item.constant))
(source_file (var_declaration (var_spec_list (var_spec . name: (_) @name value: (_) @value) @item.constant)))
(source_file (var_declaration (var_spec_list (var_spec . name: (_) @name) @item.constant)))

; A single definition begins with its keyword, one of a group does not.
((type_declaration . (_) @wrapped .) @wrapper.signature (#not-match? @wrapper.signature "^type\\s*\\("))
((const_declaration . (_) @wrapped .) @wrapper.signature (#not-match? @wrapper.signature "^const\\s*\\("))
((var_declaration . (_) @wrapped .) @wrapper.signature (#not-match? @wrapper.signature "^var\\s*\\("))

; What belongs to the item below it. A directive to a tool is no documentation.
((comment) @attribute (#match? @attribute "^//[a-z]+:[a-z]"))
((comment) @doc.near (#not-match? @doc.near "^//[a-z]+:[a-z]"))

; Documentation of the package.
(source_file . (comment)+ @doc.inner . (package_clause)) @documented

; What a type holds.
(type_spec type: (struct_type (field_declaration_list (field_declaration) @field)))
(type_spec type: (interface_type (type_elem) @field))
