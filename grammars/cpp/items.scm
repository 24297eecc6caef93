; Items of C++ alone.

(friend_declaration (_) @not.item)

; GoogleTest: a suite and a name.
((function_definition
  declarator: (function_declarator
    declarator: (identifier) @_macro
    parameters: (parameter_list
      . (parameter_declaration type: (type_identifier) @owner)
      . (parameter_declaration type: (type_identifier) @name) .))
  body: (_) @body) @item.function
  (#match? @_macro "^(TYPED_)?TEST(_F|_P)?$"))

(namespace_definition name: (_) @name body: (_) @body) @item.module
(class_specifier
  name: [
    (type_identifier) @name
    (template_type name: (_) @name)
    (qualified_identifier name: (type_identifier) @name)
  ]
  body: (_) @body) @item.class
(struct_specifier
  name: [
    (template_type name: (_) @name)
    (qualified_identifier name: (type_identifier) @name)
  ]
  body: (_) @body) @item.class
(alias_declaration name: (_) @name) @item.type
(concept_definition name: (_) @name) @item.interface

; Members, with and without a body.
(function_definition
  declarator: [
    (function_declarator declarator: [(field_identifier) (destructor_name) (operator_name)] @name)
    (pointer_declarator declarator: (function_declarator declarator: [(field_identifier) (operator_name)] @name))
    (reference_declarator (function_declarator declarator: [(identifier) (field_identifier) (operator_name)] @name))
  ]
  body: (_) @body) @item.function
(function_definition
  declarator: [
    (function_declarator declarator: [(identifier) (field_identifier) (destructor_name) (operator_name)] @name)
    (reference_declarator (function_declarator declarator: [(field_identifier) (operator_name)] @name))
  ]
  !body) @item.function
(field_declaration
  declarator: [
    (function_declarator declarator: [(field_identifier) (operator_name)] @name)
    (pointer_declarator declarator: (function_declarator declarator: [(field_identifier) (operator_name)] @name))
    (reference_declarator (function_declarator declarator: [(field_identifier) (operator_name)] @name))
  ]) @item.function
(declaration
  declarator: [
    (function_declarator declarator: [(destructor_name) (operator_name)] @name)
    (reference_declarator (function_declarator declarator: [(identifier) (operator_name)] @name))
  ]) @item.function

; Members defined outside of their class.
(function_definition
  declarator: [
    (function_declarator declarator: (qualified_identifier
      scope: [(namespace_identifier) @owner (template_type name: (_) @owner)]
      name: [(identifier) (destructor_name) (operator_name)] @name))
    (pointer_declarator declarator: (function_declarator declarator: (qualified_identifier
      scope: [(namespace_identifier) @owner (template_type name: (_) @owner)]
      name: [(identifier) (operator_name)] @name)))
    (reference_declarator (function_declarator declarator: (qualified_identifier
      scope: [(namespace_identifier) @owner (template_type name: (_) @owner)]
      name: [(identifier) (operator_name)] @name)))
    (function_declarator declarator: (qualified_identifier name: (qualified_identifier
      scope: [(namespace_identifier) @owner (template_type name: (_) @owner)]
      name: [(identifier) (destructor_name) (operator_name)] @name)))
  ]
  body: (_)? @body) @item.function

(template_declaration (_) @wrapped) @wrapper.signature
(function_definition . (attribute_declaration) @attribute)
(field_declaration . (attribute_declaration) @attribute)
(declaration . (attribute_declaration) @attribute)

; What other files cannot name: private members, and what stands in a namespace without a name.
(class_specifier body: (field_declaration_list) @private.from)
(struct_specifier body: (field_declaration_list) @public.from)
((access_specifier) @private.from (#match? @private.from "^private"))
((access_specifier) @public.from (#match? @public.from "^(public|protected)"))
(namespace_definition !name body: (declaration_list) @private.from)

; What a type holds.
(class_specifier body: (field_declaration_list (field_declaration declarator: [
  (field_identifier)
  (pointer_declarator declarator: (field_identifier))
  (array_declarator declarator: (field_identifier))
  (reference_declarator (field_identifier))
]) @field))
