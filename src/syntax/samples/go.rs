//! What is read from the sample of Go.

use super::told;

#[test]
fn items_imports_and_facts_are_read() {
    insta::assert_snapshot!(told("go"), @r##"
    file "// Package shop sells things.\n//\n// More about it."
    Constant MaxItems pub
      signature "const MaxItems = 100"
      doc "// MaxItems is what a cart may hold."
    Constant Red pub
      signature "Red Colour = iota"
      doc "// Red is a colour."
    Constant green
      signature "green"
    Constant opened
      signature "var opened int"
    Constant table
      signature "var table"
    Constant ErrEmpty pub
      signature "var ErrEmpty = errors.New(\"empty\")"
      doc "// ErrEmpty says that nothing is there."
    TypeAlias Colour pub
      signature "type Colour int"
      doc "// Colour is a number."
    Class Cart pub
      signature "type Cart[T any] struct"
      doc "// Cart holds items."
    Interface Priced pub
      signature "Priced interface"
      doc "// Priced has a price."
    Method Priced.Price pub
      signature "Price(tax int) (int, error)"
      doc "// Price in cents."
    TypeAlias id
      signature "id = string"
    Method Cart.Total pub
      signature "func (c *Cart[T]) Total(limit int, rest ...T) (sum int, err error)"
      doc "// Total adds up.\n//"
      Parameter | c | *Cart[T]
      Parameter | limit | int
      Parameter | rest | ...T
      ReturnType |  | (sum int, err error)
      Loop | for | i, item := range c.items
      Branch | if | item.Price() > limit
      Call | item.Price | 
      Return |  | 0, fmt.Errorf("item %d: %w", i, ErrEmpty)
      Call | fmt.Errorf | 
      Call | item.Price | 
      Mutation | opened | 
      Mutation | c.Name | "total"
      Loop | for | 
      Loop | for | j := 0; j < 3; j++
      Branch | switch | any(rest)
      Call | any | 
      Call | panic | 
      Raise | panic | "no"
      Call | make | 
      Branch | select | 
      Suspension | <- | done
      Call | m.Close | 
      Return |  | sum, nil
    Method Cart.hidden
      signature "func (c Cart[T]) hidden()"
      Parameter | c | Cart[T]
    Function New pub
      signature "func New(name string, limit, more int) *Cart[int]"
      Parameter | name | string
      Parameter | limit | int
      Parameter | more | int
      ReturnType |  | *Cart[int]
      Return |  | &Cart[int]{Name: name}
    Function TestTotal pub test
      signature "func TestTotal(t *testing.T)"
      Parameter | t | *testing.T
      Call | t.Run | 
    Function Testify pub
      signature "func Testify()"
    import  | fmt
    import example.com shop | money as m
    import example.com shop | drivers as _
    import example.com shop names | *
    import  | errors
    "##);
}
