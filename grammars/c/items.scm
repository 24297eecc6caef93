; Items of C, and of C++ as far as they are the same. See ../README.md for what each capture means.

; What stands inside a function is none.
(compound_statement (declaration) @not.item)
(case_statement (declaration) @not.item)
(for_statement (declaration) @not.item)
(labeled_statement (declaration) @not.item)

(function_definition
  declarator: [
    (function_declarator declarator: (identifier) @name)
    (pointer_declarator declarator: (function_declarator declarator: (identifier) @name))
    (pointer_declarator declarator: (pointer_declarator declarator: (function_declarator declarator: (identifier) @name)))
  ]
  body: (_) @body) @item.function
(declaration
  declarator: [
    (function_declarator declarator: (identifier) @name)
    (pointer_declarator declarator: (function_declarator declarator: (identifier) @name))
    (pointer_declarator declarator: (pointer_declarator declarator: (function_declarator declarator: (identifier) @name)))
  ]) @item.function

; A named type of its own, or one that only a typedef names: then that is the item.
(type_definition type: (struct_specifier body: (_)) declarator: (type_identifier) @name) @item.class
(type_definition type: (union_specifier body: (_)) declarator: (type_identifier) @name) @item.enum
(type_definition type: (enum_specifier body: (_)) declarator: (type_identifier) @name) @item.enum
(type_definition type: [(struct_specifier) (union_specifier) (enum_specifier)] @not.item)
(type_definition
  declarator: [
    (type_identifier) @name
    (pointer_declarator declarator: (type_identifier) @name)
    (array_declarator declarator: (type_identifier) @name)
    (function_declarator declarator: (parenthesized_declarator (pointer_declarator declarator: (type_identifier) @name)))
  ]) @item.type
(struct_specifier name: (type_identifier) @name body: (_) @body) @item.class
(union_specifier name: (type_identifier) @name body: (_) @body) @item.enum
(enum_specifier name: (type_identifier) @name body: (_) @body) @item.enum

(declaration
  declarator: (init_declarator
    declarator: [
      (identifier) @name
      (pointer_declarator declarator: (identifier) @name)
      (array_declarator declarator: (identifier) @name)
      (pointer_declarator declarator: (array_declarator declarator: (identifier) @name))
    ]
    value: (_) @value)) @item.constant
(declaration
  declarator: [
    (identifier) @name
    (pointer_declarator declarator: (identifier) @name)
    (array_declarator declarator: (identifier) @name)
    (pointer_declarator declarator: (array_declarator declarator: (identifier) @name))
  ]) @item.constant

; A macro without a value is a switch or a guard.
(preproc_def name: (_) @name value: (_) @value) @item.constant
(preproc_function_def name: (_) @name value: (_) @value) @item.macro

(linkage_specification body: [(function_definition) (declaration)] @wrapped) @wrapper

; What belongs to the item below it.
((comment) @doc (#match? @doc "^(/\\*[*!]|//[/!])"))
((comment) @doc.near)

; What other files cannot name. What is inline stands in headers.
((translation_unit (function_definition (storage_class_specifier) @_static) @private)
  (#eq? @_static "static") (#not-match? @private "^(static\\s+)?inline\\b"))
((translation_unit (declaration (storage_class_specifier) @_static) @private)
  (#eq? @_static "static") (#not-match? @private "^(static\\s+)?inline\\b"))

; What a type holds.
(struct_specifier body: (field_declaration_list (field_declaration) @field))
(union_specifier body: (field_declaration_list (field_declaration) @field))
(enumerator_list (enumerator) @field)
