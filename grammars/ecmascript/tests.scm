; What is a test, and what holds only test code.

(call_expression
  function: [(identifier) @_function (member_expression object: (identifier) @_function)]
  arguments: (arguments . (string))
  (#any-of? @_function "it" "test" "specify")) @test
(call_expression
  function: [(identifier) @_function (member_expression object: (identifier) @_function)]
  arguments: (arguments . (string))
  (#any-of? @_function "describe" "suite" "context")) @test.scope
