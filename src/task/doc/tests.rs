//! Doc comments for real code.

use super::*;
use crate::engine::scripted::{Rule, Script};
use crate::engine::{Engine, EngineOptions, ModelSource};
use crate::task::tests::tools;

async fn outcome(path: &str, text: &str, name: &str, answer: Option<&str>) -> Outcome {
    let rules = answer
        .map(|answer| Rule { when: String::new(), answers: vec![answer.to_owned()] })
        .into_iter()
        .collect();
    let script = Script { rules, fim: answer.is_some(), ..Script::default() };
    let path = std::env::temp_dir().join(path);
    let document = Document::new(path, None, 0, text.to_owned());
    let target = Target::Named(name.to_owned());
    run(&tools(Engine::scripted(script)), &document, &target).await.unwrap()
}

/// The text with the comment, which must be proved.
async fn documented(path: &str, text: &str, name: &str, answer: Option<&str>) -> String {
    let outcome = outcome(path, text, name, answer).await;
    assert!(outcome.verified, "{}", outcome.message);
    assert_eq!(outcome.proof[0].result, "code unchanged");
    outcome.proposal.changes[0].text.clone()
}

const RUST: &str = r#"struct Cart {
    items: Vec<u64>,
    count: u8,
}

impl Cart {
    #[inline]
    pub fn total(&mut self, limit: u64) -> Result<u64, Error> {
        assert!(limit > 0, "no limit");
        let price = price_of(self.items[0])?;
        if price > limit {
            return Err(Error::TooMuch);
        }
        self.count += 1;
        Ok(price.checked_add(1).unwrap())
    }
}

fn two() -> u8 { 2 }
"#;

#[tokio::test]
async fn a_rust_method_gets_a_summary_and_its_errors_and_panics() {
    let answer = "Returns the total price within the limit.";
    let text = documented("a.rs", RUST, "Cart::total", Some(answer)).await;
    insta::assert_snapshot!(text, @r#"
    struct Cart {
        items: Vec<u64>,
        count: u8,
    }

    impl Cart {
        /// Returns the total price within the limit.
        ///
        /// # Errors
        ///
        /// - Returns the error of `price_of`.
        /// - Returns `Error::TooMuch`.
        ///
        /// # Panics
        ///
        /// - Panics unless `limit > 0`.
        /// - Panics if `price.checked_add` gives nothing to unwrap.
        #[inline]
        pub fn total(&mut self, limit: u64) -> Result<u64, Error> {
            assert!(limit > 0, "no limit");
            let price = price_of(self.items[0])?;
            if price > limit {
                return Err(Error::TooMuch);
            }
            self.count += 1;
            Ok(price.checked_add(1).unwrap())
        }
    }

    fn two() -> u8 { 2 }
    "#);
}

#[tokio::test]
async fn without_a_model_the_summary_says_what_the_tree_shows() {
    let text = documented("a.rs", RUST, "Cart", None).await;
    assert!(text.starts_with("/// Has `items` and `count`.\nstruct Cart {"), "{text}");
    let text = documented("a.rs", RUST, "two", None).await;
    assert!(text.contains("\n/// Returns `u8`.\nfn two()"), "{text}");
    let outcome = outcome("a.rs", RUST, "two", None).await;
    assert!(outcome.message.contains("read from the code"), "{}", outcome.message);
}

const PYTHON: &str = r#"class Cart:
    def total(self, limit: int, *rest) -> int:
        if limit < 0:
            raise ValueError("limit is negative")
        self.count = limit
        return step(limit)

def one(): return 1
"#;

#[tokio::test]
async fn a_python_method_gets_a_docstring_in_its_body() {
    let text = documented("a.py", PYTHON, "Cart.total", Some("Add up the \\ total.")).await;
    insta::assert_snapshot!(text, @r#"
    class Cart:
        def total(self, limit: int, *rest) -> int:
            """Takes limit and *rest, changes self.count and returns int.

            Args:
                limit (int): Compared, read.
                *rest: Not used.

            Returns:
                int: step(limit).

            Raises:
                ValueError: Limit is negative.
            """
            if limit < 0:
                raise ValueError("limit is negative")
            self.count = limit
            return step(limit)

    def one(): return 1
    "#);
    let text = documented("a.py", PYTHON, "Cart.total", Some("Return the total of a cart.")).await;
    assert!(
        text.contains("        \"\"\"Return the total of a cart.\n\n        Args:\n"),
        "{text}"
    );
}

#[tokio::test]
async fn a_body_on_the_line_of_its_header_moves_down() {
    let text = documented("a.py", PYTHON, "one", None).await;
    assert!(
        text.ends_with("def one():\n    \"\"\"Returns 1.\n\n    Returns:\n        1.\n    \"\"\"\n    return 1\n"),
        "{text}"
    );
}

#[tokio::test]
async fn windows_line_ends_stay() {
    let text = documented("a.rs", "fn f() -> u8 {\r\n    1\r\n}\r\n", "f", None).await;
    assert_eq!(text, "/// Returns `u8`.\r\nfn f() -> u8 {\r\n    1\r\n}\r\n");
}

#[tokio::test]
async fn what_is_documented_stays_as_it_is() {
    for (path, text) in
        [("a.rs", "/// Sum.\nfn f() {}\n"), ("a.py", "def f():\n    \"\"\"Sum.\"\"\"\n")]
    {
        let outcome = outcome(path, text, "f", None).await;
        assert!(outcome.verified && outcome.proposal.is_empty());
        assert!(outcome.message.contains("documented already"), "{}", outcome.message);
    }
}

#[tokio::test]
async fn what_cannot_be_documented_is_refused() {
    let document = Document::new("a.py".into(), None, 0, "X = 1\n".to_owned());
    let tools = tools(Engine::scripted(Script::default()));
    for target in [Target::Named("X".to_owned()), Target::File] {
        assert!(matches!(run(&tools, &document, &target).await, Err(TaskError::Target(_))));
    }
}

#[tokio::test]
async fn a_very_small_model_is_not_quoted_in_the_code() {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("models/builtin.gguf");
    let engine = Engine::load(&ModelSource::File(file), &EngineOptions::default()).unwrap();
    let document = Document::new("a.rs".into(), None, 0, "fn three() -> u8 { 3 }\n".to_owned());
    let target = Target::Named("three".to_owned());
    let outcome = run(&tools(engine), &document, &target).await.unwrap();
    assert!(outcome.verified && outcome.message.contains("too small"), "{}", outcome.message);
}

#[test]
fn a_docstring_cannot_be_ended_from_inside() {
    assert_eq!(escaped("a \"\"\" b\\", "\"\"\""), "a ''' b\\\\");
    assert_eq!(escaped("say \"hi\"", "\"\"\""), "say \"hi\\\"");
}

#[test]
fn the_proof_sees_any_other_change() {
    let document = Document::new("a.rs".into(), None, 0, "fn f() { g(1) }\n".to_owned());
    let item = &document.items()[0];
    let comment = "/// Doc.\n";
    let inserted = Span::new(0, comment.len());
    let check = |text: &str| proved(&document, item, text, inserted);
    assert_eq!(check("/// Doc.\nfn f() { g(1) }\n"), Ok(()));
    assert_eq!(check("/// Doc.\nfn f() { g(2) }\n"), Err("other code would change"));
    assert_eq!(check("/// Doc.\nfn f() { g(1 }\n"), Err("the file would not parse"));
    assert_eq!(check("fn f() { g(1) }\n\n\n\n\n"), Err("the item would not be documented"));
}

#[cfg(feature = "typescript")]
#[tokio::test]
async fn a_typescript_function_gets_tags() {
    let text = "export class Cart {\n  total(limit: number): number {\n    if (limit < 0) throw new \
        RangeError(\"no limit\");\n    return sum(this.items, limit);\n  }\n}\n";
    insta::assert_snapshot!(documented("doc_a.ts", text, "Cart.total", None).await, @r#"
    export class Cart {
      /**
       * Takes `limit`, calls `sum` and returns `number`.
       *
       * @param limit Compared, passed to sum.
       * @returns sum(this.items, limit).
       * @throws RangeError no limit.
       */
      total(limit: number): number {
        if (limit < 0) throw new RangeError("no limit");
        return sum(this.items, limit);
      }
    }
    "#);
}

#[cfg(feature = "go")]
#[tokio::test]
async fn a_go_comment_begins_with_the_name() {
    let text = "package shop\n\nfunc Total(items []int) int {\n\treturn sum(items)\n}\n";
    insta::assert_snapshot!(documented("doc_a.go", text, "Total", None).await, @"
    package shop

    // Total takes items, calls sum and returns int.
    func Total(items []int) int {
    	return sum(items)
    }
    ");
}

#[cfg(feature = "c")]
#[tokio::test]
async fn a_c_function_gets_tags() {
    let text = "int total(const int *items, int count)\n{\n    return sum(items, count);\n}\n";
    insta::assert_snapshot!(documented("doc_a.c", text, "total", None).await, @"
    /**
     * Takes `items` and `count`, calls `sum` and returns `int`.
     *
     * @param items Passed to sum.
     * @param count Passed to sum.
     * @returns sum(items, count).
     */
    int total(const int *items, int count)
    {
        return sum(items, count);
    }
    ");
}
