; What is a test, and what holds only test code.

(attribute_item
  (attribute [
    (identifier) @_name
    (scoped_identifier name: (identifier) @_name)
  ])
  (#any-of? @_name "test" "bench" "rstest" "test_case" "quickcheck")) @test

(attribute_item
  (attribute (identifier) @_name arguments: (token_tree) @_arguments)
  (#eq? @_name "cfg")
  (#match? @_arguments "^\\((all\\()?\\s*test\\b")) @test.scope
