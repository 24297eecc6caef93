//! What is read from the sample of TypeScript with JSX.

use super::told;

#[test]
fn items_imports_and_facts_are_read() {
    insta::assert_snapshot!(told("tsx"), @r##"
    Interface Props
      signature "interface Props"
    Function List pub
      signature "function List({ items }: Props): JSX.Element"
      doc "/** A list of items. */"
      Parameter | { items } | Props
      ReturnType |  | JSX.Element
      Call | useState | 
      Branch | if | items.length === 0
      Return |  | <p>It's empty</p>
      Return |  | ( <ul className="list" onClick={() => setOpen(!open)}> {items.map((item) => ( <li key={item.id}>{item.name}</li> ))} {open && <Footer />} </ul> )
      Call | setOpen | 
      Call | items.map | 
    Constant Footer pub
      signature "const Footer = React.memo(() => <footer>{\"end\"}</footer>)"
    Module List test
      signature "describe(\"List\", () =>"
    Function List.shows what it holds test
      signature "it(\"shows what it holds\", async () =>"
      Call | it | 
      Call | .toBe | 
      Call | expect | 
      Call | helper | 
    import react | default as React
    import react | useState
    "##);
}
