; What the grammar takes and the language refuses.

; Items only at the top of a file.
(source_file (expression_statement (macro_invocation)) @accepted)
(source_file (macro_invocation) @accepted)
(source_file [(expression_statement) (let_declaration)] @refused)

; Items only in modules, blocks and files; functions, constants and types in implementations.
(declaration_list (let_declaration) @refused)
(impl_item
  body: (declaration_list
    [
      (struct_item) (enum_item) (union_item) (mod_item) (use_declaration) (static_item)
      (impl_item) (trait_item) (extern_crate_declaration)
    ] @refused))
(trait_item
  body: (declaration_list
    [
      (struct_item) (enum_item) (union_item) (mod_item) (use_declaration) (static_item)
      (impl_item) (trait_item) (extern_crate_declaration)
    ] @refused))

; A function without a body, except in a trait or a foreign module.
(source_file (function_signature_item) @refused)
(mod_item body: (declaration_list (function_signature_item) @refused))
(impl_item body: (declaration_list (function_signature_item) @refused))
(block (function_signature_item) @refused)

; An attribute or doc comment that belongs to nothing.
(source_file
  [(attribute_item) (line_comment (outer_doc_comment_marker)) (block_comment (outer_doc_comment_marker))] @refused .)
(block
  [(attribute_item) (line_comment (outer_doc_comment_marker)) (block_comment (outer_doc_comment_marker))] @refused .)
(declaration_list
  [(attribute_item) (line_comment (outer_doc_comment_marker)) (block_comment (outer_doc_comment_marker))] @refused .)
(field_declaration_list
  [(attribute_item) (line_comment (outer_doc_comment_marker)) (block_comment (outer_doc_comment_marker))] @refused .)
(enum_variant_list
  [(attribute_item) (line_comment (outer_doc_comment_marker)) (block_comment (outer_doc_comment_marker))] @refused .)
