//! What is read from the sample of TypeScript.

use super::told;

#[test]
fn items_imports_and_facts_are_read() {
    insta::assert_snapshot!(told("typescript"), @r##"
    file "/** @module carts */"
    Constant MAX_ITEMS pub
      signature "const MAX_ITEMS = 100"
      doc "/** What a cart may hold. */"
    Constant table
      signature "const table: Record<string, number>"
    Constant opened
      signature "let opened = 0"
    Class Cart pub
      signature "class Cart<T extends Item = Item> extends Base implements Priced"
      doc "/**\n * A cart of items.\n * @template T what it holds\n */"
    Method Cart.constructor pub
      signature "constructor(private readonly limit: number, public name?: string)"
      Parameter | limit | number
      Parameter | name | string
      Call | super | 
    Method Cart.total pub
      signature "async total(round: (x: number) => number, { tax = 0 }: Options, ...rest: T[]): Promise<number>"
      doc "/** Adds up the prices. */"
      Call | Memoize | 
      Parameter | round | (x: number) => number
      Parameter | { tax = 0 } | Options
      Parameter | ...rest | T[]
      ReturnType |  | Promise<number>
      Loop | for | item of this.items
      Branch | if | item.price > this.limit
      Raise | throw | new RangeError("too much")
      Call | RangeError | 
      Suspension | await | item.cost(tax)
      Call | item.cost | 
      Mutation | opened | 
      Mutation | this.count | 1
      Call | rest.forEach | 
      Call | this.add | 
      Call | .catch | 
      Call | .then | 
      Call | read | 
      Call | text.trim | 
      Branch | catch | error
      Call | console.log | 
      Branch | switch | rest.length
      Return |  | 0
      Return |  | sum > 0 ? round(sum) : money.zero<number>()
      Branch | ? | sum > 0
      Call | round | 
      Call | money.zero | 
    Method Cart.hidden
      signature "private hidden(): void"
      ReturnType |  | void
    Method Cart.#secrecy
      signature "#secrecy()"
      Return |  | this.#secret
    Method Cart.handle pub
      signature "handle = (event: Event): boolean =>"
      Parameter | event | Event
      Return |  | event.isTrusted
    Method Cart.size pub
      signature "get size(): number"
      ReturnType |  | number
      Return |  | this.items.length
    Interface Priced pub
      signature "interface Priced"
    Method Priced.cost pub
      signature "cost(tax?: number): Promise<number>"
      doc "/** In cents. */"
    Class Shape pub
      signature "abstract class Shape"
    Method Shape.area pub
      signature "abstract area(): number"
    Method Shape.scale pub
      signature "protected scale(by: number): void"
    Method Shape.scale pub
      signature "protected scale(by: any): void"
      Parameter | by | any
      ReturnType |  | void
    TypeAlias Id pub
      signature "type Id = string | number"
    Enum Colour pub
      signature "enum Colour"
    Enum Hidden
      signature "enum Hidden"
    Function open pub
      signature "function open(path: string): Cart"
    Function open pub
      signature "function open(path: any): Cart"
      Parameter | path | any
      ReturnType |  | Cart
      Return |  | new Cart(inner)
      Call | Cart | 
    Function inner
      signature "function* inner()"
      Suspension | yield | 1
    Function sum pub
      signature "const sum = (a: number, b = 0): number =>"
      Parameter | a | number
      Parameter | b | 
      ReturnType |  | number
      Return |  | a + b
    Function later pub
      signature "const later = async () =>"
      Suspension | await | Promise.resolve()
      Call | Promise.resolve | 
    Interface Window
      signature "interface Window"
    Function legacyTotal pub
      signature "function legacyTotal(cart: Cart): number"
    Module Prices pub
      signature "namespace Prices"
    Constant Prices.low pub
      signature "const low = 1"
    Function Prices.of pub
      signature "function of(item: Item): number"
      Parameter | item | Item
      ReturnType |  | number
      Return |  | low
    import . item | Item
    import node:fs | default as fs
    import node:fs | readFile as read
    import .. money index.js | * as money
    import . | polyfill
    import . legacy | * as legacy
    import . rounding | round
    import . rounding | ceil as up
    import . types | *
    "##);
}
