; What is a test, and what holds only test code.

(function_definition name: (identifier) @_name (#match? @_name "^test(_|$)")) @test

(class_definition name: (identifier) @_name (#match? @_name "^Test([A-Z0-9_]|$)")) @test.scope
(class_definition
  superclasses: (argument_list [
    (identifier) @_base
    (attribute attribute: (identifier) @_base)
  ])
  (#any-of? @_base "TestCase" "IsolatedAsyncioTestCase")) @test.scope
