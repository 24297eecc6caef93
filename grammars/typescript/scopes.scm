; Of TypeScript alone.

(abstract_class_declaration) @statement
(interface_declaration) @statement
(enum_declaration) @statement
(type_alias_declaration) @statement
(function_signature) @statement
(ambient_declaration) @statement
(module) @statement
(public_field_definition) @statement
(method_signature) @statement
(abstract_method_signature) @statement
(property_signature) @statement
(index_signature) @statement

(interface_body) @block
(object_type) @block
(enum_body) @block

(type_arguments) @list
(type_parameters) @list
(tuple_type) @list
(parenthesized_type) @list

(type_identifier) @identifier
