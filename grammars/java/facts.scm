; What is seen inside an item.

(method_declaration) @function
(constructor_declaration) @function
(compact_constructor_declaration) @function
(lambda_expression body: (block)) @function

(formal_parameters (formal_parameter type: (_) @detail name: (_) @name) @parameter)
(formal_parameters (spread_parameter (_) @detail "..." @detail (variable_declarator name: (_) @name)) @parameter)
(method_declaration type: (_) @detail @return_type (#not-eq? @return_type "void"))

; The receiver of a chained call is a call of its own.
(method_invocation
  object: [(method_invocation) (object_creation_expression) (parenthesized_expression) (array_access) (string_literal)]
  "." @name
  name: (_) @name) @call
(method_invocation object: (_) @name "." @name name: (_) @name) @call
(method_invocation !object name: (_) @name) @call
(object_creation_expression type: [
  (type_identifier) @name
  (scoped_type_identifier) @name
  (generic_type . (_) @name)
]) @call
(explicit_constructor_invocation constructor: (_) @name) @call

(return_statement (_)? @detail) @return
(lambda_expression body: (expression) @_value)
(yield_statement (_) @detail) @return

(throw_statement "throw" @name (_) @detail) @raise
(assert_statement "assert" @name . (_) @detail) @raise

(if_statement "if" @name condition: (parenthesized_expression . (_) @detail .)) @branch
(switch_expression "switch" @name condition: (parenthesized_expression . (_) @detail .)) @branch
(ternary_expression condition: (_) @detail "?" @name) @branch
(catch_clause "catch" @name (catch_formal_parameter) @detail) @branch

(for_statement "for" @name condition: (_)? @detail) @loop
(enhanced_for_statement "for" @name type: (_) @detail value: (_) @detail) @loop
(while_statement "while" @name condition: (parenthesized_expression . (_) @detail .)) @loop
(do_statement "do" @name condition: (parenthesized_expression . (_) @detail .)) @loop

(assignment_expression left: [(field_access) (array_access)] @name right: (_) @detail) @mutation.member
(update_expression [(field_access) (array_access)] @name) @mutation.member
(assignment_expression left: (identifier) @name right: (_) @detail) @mutation.free
(update_expression (identifier) @name) @mutation.free

(local_variable_declaration declarator: (variable_declarator name: (identifier) @local))
(enhanced_for_statement name: (identifier) @local)
(catch_formal_parameter name: (identifier) @local)
(resource name: (identifier) @local)
(lambda_expression parameters: (identifier) @local)
(inferred_parameters (identifier) @local)
