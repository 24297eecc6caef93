; Of JavaScript alone.

(field_definition) @statement
