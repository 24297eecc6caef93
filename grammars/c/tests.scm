; What is a test.

(function_definition
  declarator: (function_declarator declarator: (identifier) @_name)
  (#match? @_name "^test_")) @test
