//! What is read from the sample of JavaScript.

use super::told;

#[test]
fn items_imports_and_facts_are_read() {
    insta::assert_snapshot!(told("javascript"), @r##"
    Constant fs
      signature "const fs = require(\"fs\")"
    Function round pub
      signature "function round(value, digits = 2, ...rest)"
      doc "/** Rounds to cents. */"
      Parameter | value | 
      Parameter | digits | 
      Parameter | ...rest | 
      Branch | if | !value
      Raise | throw | new TypeError("no value")
      Call | TypeError | 
      Loop | do | rest.length
      Call | rest.pop | 
      Mutation | digits.used | true
      Return |  | Math.round(value * 10 ** digits)
      Call | Math.round | 
    Function twice pub
      signature "const twice = (x) =>"
      Parameter | x | 
      Return |  | x * 2
    Function old
      signature "var old = function (a)"
      Parameter | a | 
      Return |  | a
    Class Queue
      signature "class Queue extends Array"
    Method Queue.from pub
      signature "static from(items)"
      Parameter | items | 
      Return |  | new Queue(...items)
      Call | Queue | 
    Method Queue.drain pub
      signature "drain = () =>"
      Call | this.splice | 
      Return |  | this.splice(0)
    Method Queue.[Symbol.asyncIterator] pub
      signature "async *[Symbol.asyncIterator]()"
      Suspension | yield | this
    Method Queue.peek
      signature "Queue.prototype.peek = function ()"
      Return |  | this[0]
    Function load pub
      signature "exports.load = async function (path)"
      Parameter | path | 
      Suspension | await | import("./parser.js")
      Mutation | this.cache | 
      Return |  | parse(fs.readFileSync(path))
      Call | parse | 
      Call | fs.readFileSync | 
    Function rounds test
      signature "test(\"rounds\", () =>"
      Call | test | 
      Call | .toBe | 
      Call | expect | 
      Call | round | 
    Constant view
      signature "const view = <div title=\"a\">It is {round(1)} <b>bold</b></div>"
    import fs | * as fs
    import node:path | join
    import node:path | resolve as absolute
    import . cart.mjs | default as Cart
    import . cart.mjs | total
    import . parser.js | parse
    "##);
}
