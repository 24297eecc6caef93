; Items of JavaScript and TypeScript. See ../README.md for what each capture means.

(function_declaration name: (_) @name body: (_) @body) @item.function
(generator_function_declaration name: (_) @name body: (_) @body) @item.function
(class_declaration name: (_) @name body: (_) @body) @item.class
(class_body (method_definition name: (_) @name body: (_) @body) @item.function)

; Variables of the file: functions, classes and the rest.
(program (lexical_declaration (variable_declarator name: (identifier) @name value: (arrow_function body: (_) @body)) @item.function))
(program (lexical_declaration (variable_declarator name: (identifier) @name value: (function_expression body: (_) @body)) @item.function))
(program (lexical_declaration (variable_declarator name: (identifier) @name value: (class body: (_) @body)) @item.class))
(program (lexical_declaration (variable_declarator name: (identifier) @name value: (_) @value) @item.constant))
(program (lexical_declaration (variable_declarator name: (identifier) @name) @item.constant))
(program (variable_declaration (variable_declarator name: (identifier) @name value: (arrow_function body: (_) @body)) @item.function))
(program (variable_declaration (variable_declarator name: (identifier) @name value: (function_expression body: (_) @body)) @item.function))
(program (variable_declaration (variable_declarator name: (identifier) @name value: (_) @value) @item.constant))
(export_statement (lexical_declaration (variable_declarator name: (identifier) @name value: (arrow_function body: (_) @body)) @item.function))
(export_statement (lexical_declaration (variable_declarator name: (identifier) @name value: (function_expression body: (_) @body)) @item.function))
(export_statement (lexical_declaration (variable_declarator name: (identifier) @name value: (class body: (_) @body)) @item.class))
(export_statement (lexical_declaration (variable_declarator name: (identifier) @name value: (_) @value) @item.constant))
(export_statement (lexical_declaration (variable_declarator name: (identifier) @name) @item.constant))
(export_statement (variable_declaration (variable_declarator name: (identifier) @name value: (_) @value) @item.constant))

; exports.total = function () {} and Cart.prototype.total = function () {}
(program (expression_statement
  (assignment_expression
    left: (member_expression
      object: (member_expression object: (identifier) @owner property: (property_identifier) @_prototype)
      property: (property_identifier) @name)
    right: [(function_expression body: (_) @body) (arrow_function body: (_) @body)])
  (#eq? @_prototype "prototype")) @item.function)
(program (expression_statement
  (assignment_expression
    left: (member_expression object: (_) @_exports property: (property_identifier) @name)
    right: [(function_expression body: (_) @body) (arrow_function body: (_) @body)])
  (#any-of? @_exports "exports" "module.exports")) @item.function @public)

; Tests are calls with a name and a function.
(call_expression
  function: [(identifier) @_function (member_expression object: (identifier) @_function)]
  arguments: (arguments . (string (string_fragment) @name) (_ body: (_) @body) .)
  (#any-of? @_function "describe" "suite" "context")) @item.module
(call_expression
  function: [(identifier) @_function (member_expression object: (identifier) @_function)]
  arguments: (arguments . (string (string_fragment) @name) (_ body: (_) @body))
  (#any-of? @_function "it" "test" "specify")) @item.function

; A definition with what stands around it.
(export_statement declaration: (_) @wrapped) @wrapper @public
(lexical_declaration . (variable_declarator) @wrapped .) @wrapper.signature
(variable_declaration . (variable_declarator) @wrapped .) @wrapper.signature
(expression_statement (call_expression) @wrapped) @wrapper

; What belongs to the item below it.
((comment) @doc (#match? @doc "^/\\*\\*"))
(decorator) @attribute

; Documentation of the file, which is not that of its first item.
(program . (comment) @doc.inner . (import_statement) (#match? @doc.inner "^/\\*\\*")) @documented
(program . (comment) @doc.inner (#match? @doc.inner "^/\\*\\*[\\s*]*@(file|fileoverview|module|packageDocumentation|license)")) @documented

; What other modules can name.
(export_statement (lexical_declaration (variable_declarator) @public))
(export_statement (variable_declaration (variable_declarator) @public))
(export_statement (export_clause (export_specifier name: (identifier) @public.name)) !source)
(export_statement value: (identifier) @public.name)
(class_body (method_definition) @public)
(method_definition name: (private_property_identifier)) @private
((assignment_expression
  left: (member_expression) @_exports
  right: [
    (identifier) @public.name
    (object [
      (shorthand_property_identifier) @public.name
      (pair value: (identifier) @public.name)
    ])
  ])
  (#match? @_exports "^(module\\.)?exports\\b"))
