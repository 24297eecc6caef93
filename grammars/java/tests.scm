; What is a test, and what holds only test code.

(method_declaration
  (modifiers [(marker_annotation name: (_) @_name) (annotation name: (_) @_name)])
  (#match? @_name "(^|\\.)(Test|ParameterizedTest|RepeatedTest|TestFactory|TestTemplate|Before|After|BeforeEach|AfterEach|BeforeAll|AfterAll|BeforeClass|AfterClass)$")) @test

(class_declaration
  name: (identifier) @_name
  (#match? @_name "^(Test[A-Z]|Test$|.*(Test|Tests|TestCase|IT)$)")) @test.scope
(class_declaration
  (modifiers [(marker_annotation name: (_) @_name) (annotation name: (_) @_name)])
  (#any-of? @_name "Nested" "SpringBootTest" "ExtendWith" "RunWith" "QuarkusTest")) @test.scope
