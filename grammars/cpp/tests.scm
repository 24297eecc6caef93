; GoogleTest.

((function_definition
  declarator: (function_declarator declarator: (identifier) @_macro)) @test
  (#match? @_macro "^(TYPED_)?TEST(_F|_P)?$"))
