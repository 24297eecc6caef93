//! What is read from the sample of C.

use super::told;

#[test]
fn items_imports_and_facts_are_read() {
    insta::assert_snapshot!(told("c"), @r##"
    Constant MAX_ITEMS pub
      signature "#define MAX_ITEMS 100"
    Macro SQUARE pub
      signature "#define SQUARE(x) ((x) * (x))"
    Class cart pub
      signature "struct cart"
      doc "/** A cart of items. */"
    Class price_t pub
      signature "typedef struct {\n    int cents;\n    char currency[4];\n} price_t"
      doc "/* A price in cents. */"
    Class node_t pub
      signature "typedef struct node {\n    struct node *next;\n} node_t"
    TypeAlias compare_fn pub
      signature "typedef int (*compare_fn)(const void *, const void *)"
    TypeAlias id_t pub
      signature "typedef unsigned long id_t"
    Enum colour pub
      signature "enum colour"
    Enum size_kind pub
      signature "typedef enum { SMALL, LARGE } size_kind"
    Enum value pub
      signature "union value"
    Constant opened
      signature "static int opened = 0"
    Constant names pub
      signature "extern const char *names[]"
    Constant default_name pub
      signature "const char *const default_name = \"cart\""
    Function hidden
      signature "static int hidden(void)"
    Function cart_total pub
      signature "int cart_total(const struct cart *cart, int limit)"
    Function cart_total pub
      signature "int cart_total(const struct cart *cart, int limit)"
      doc "/* Adds up the prices.\n * Slowly. */"
      ReturnType |  | int
      Parameter | cart | const struct cart *
      Parameter | limit | int
      Call | assert | 
      Raise | assert | cart != NULL
      Loop | for | size_t i = 0; i < cart->count
      Branch | if | cart->items[i].price > limit
      Return |  | -1
      Call | price_of | 
      Mutation | opened | 
      Mutation | cart->count | 0
      Mutation | *limit_of(cart) | 3
      Call | limit_of | 
      Loop | do | sum > 10
      Branch | switch | sum
      Call | exit | 
      Raise | exit | 
      Loop | while | next(cart)
      Call | next | 
      Call | cart->visit | 
      Return |  | sum ? SQUARE(sum) : 0
      Branch | ? | sum
      Call | SQUARE | 
    Function hidden
      signature "static int hidden(void)"
      ReturnType |  | int
      Return |  | 1
    Function shown pub
      signature "static inline int shown(void)"
      ReturnType |  | int
      Return |  | 1
    Function cart_name pub
      signature "char *cart_name(struct cart *cart, int (*compare)(int, int), char buffer[])"
      ReturnType |  | char *
      Parameter | cart | struct cart *
      Parameter | compare | int
      Parameter | buffer | char
      Return |  | cart->name
    Function dump pub
      signature "void dump(void)"
      Call | printf | 
    Function test_total pub test
      signature "void test_total(void)"
      Call | assert | 
      Raise | assert | 1
    import  | cart.h
    import  | stdio.h
    import util | list.h
    "##);
}
