; What is a test.

(function_declaration
  name: (identifier) @_name
  (#match? @_name "^(Test|Benchmark|Fuzz|Example)([A-Z0-9_].*)?$")) @test
