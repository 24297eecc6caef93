//! What is read from the sample of Java.

use super::told;

#[test]
fn items_imports_and_facts_are_read() {
    insta::assert_snapshot!(told("java"), @r##"
    Class Cart pub
      signature "public class Cart<T extends Item> extends Base implements Priced"
      doc "/**\n * A cart of items.\n *\n * @param <T> what it holds\n */"
    Constant Cart.MAX_ITEMS pub
      signature "public static final int MAX_ITEMS = 100"
    Constant Cart.TABLE
      signature "private static final Map<String, Integer> TABLE"
    Method Cart.Cart pub
      signature "public Cart(int limit)"
      doc "/** Makes one. */"
      Parameter | limit | int
      Call | super | 
      Mutation | this.count | 0
    Method Cart.total pub
      signature "public <R> int total(int limit, String... names) throws IOException"
      doc "/** Adds up the prices. */"
      ReturnType |  | int
      Parameter | limit | int
      Parameter | names | String...
      Loop | for | T item : items
      Branch | if | item.getPrice() > limit
      Call | item.getPrice | 
      Raise | throw | new IllegalStateException("too much")
      Call | IllegalStateException | 
      Call | item.getPrice | 
      Mutation | count | 
      Call | this.items.clear | 
      Raise | assert | sum > 0
      Loop | for | i < 3
      Call | System.out.println | 
      Call | open | 
      Call | .forEach | 
      Call | .map | 
      Call | items.stream | 
      Call | item.getPrice | 
      Branch | catch | IOException | RuntimeException error
      Call | log | 
      Return |  | switch (names.length) { case 0 -> 0; default -> sum > 0 ? sum : max(1, 2); }
      Branch | switch | names.length
      Branch | ? | sum > 0
      Call | max | 
    Method Cart.hidden
      signature "private void hidden()"
    Method Cart.visibleInPackage pub
      signature "void visibleInPackage()"
    Enum Cart.Colour pub
      signature "enum Colour"
    Method Colour.next pub
      signature "Colour next()"
      ReturnType |  | Colour
      Return |  | RED
    Class Cart.Point pub
      signature "record Point(int x, int y)"
    Method Point.Point pub
      signature "Point"
      Branch | if | x < 0
      Raise | throw | new IllegalArgumentException()
      Call | IllegalArgumentException | 
    Interface Cart.Priced pub
      signature "interface Priced"
    Constant Priced.FREE pub
      signature "int FREE = 0"
    Method Priced.price pub
      signature "int price()"
      doc "/** In cents. */"
    Method Priced.twice pub
      signature "default int twice()"
      ReturnType |  | int
      Return |  | price() * 2
      Call | price | 
    Interface Cart.Marker pub
      signature "@interface Marker"
    Method Marker.value pub
      signature "String value() default \"\""
    Class CartTest pub test
      signature "class CartTest"
    Method CartTest.setUp pub test
      signature "void setUp()"
    Method CartTest.adds pub test
      signature "void adds()"
      Call | assertEquals | 
      Call | .total | 
      Call | Cart | 
    import java util | List
    import java util | *
    import java lang Math | max
    import org junit Assert | *
    "##);
}
