//! Recorded calls → a test file, for pytest where it is installed, else for unittest.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use super::{Case, Module, Recorded};

/// What a test file is about.
pub(super) struct Plan<'a> {
    pub(super) module: &'a Module,
    /// The test file.
    pub(super) file: &'a Path,
    /// Whether pytest is there.
    pub(super) pytest: bool,
}

/// The text of the test file: the recorded tests of `targets`, then a model's `code`.
pub(super) fn file(plan: &Plan<'_>, targets: &[Recorded], code: &str) -> String {
    let Plan { module, pytest, .. } = plan;
    let uses = |what: &str| {
        let has = |case: &Case| case.texts().iter().any(|text| text.contains(what));
        targets.iter().flat_map(|target| &target.cases).any(has)
    };
    let raises = targets.iter().flat_map(|t| &t.cases).any(|c| matches!(c, Case::Raises { .. }));
    let floats = targets.iter().flat_map(|t| &t.cases).any(Case::is_plain_float);
    let path_line = path_line(plan);

    let mut out = format!("\"\"\"Tests of {}.\n\n", module.dotted);
    out.push_str(
        "Tests named current_behaviour record what the code did when they were written;\n",
    );
    out.push_str("they are not a specification.\n\"\"\"\n\n");
    if uses("asyncio.run(") {
        out.push_str("import asyncio\n");
    }
    if path_line.is_some() {
        out.push_str("import sys\n");
    }
    if !pytest {
        out.push_str("import unittest\n");
    }
    if path_line.is_some() {
        out.push_str("from pathlib import Path\n");
    }
    if *pytest && (raises || floats) {
        out.push_str("\nimport pytest\n");
    }
    let late = if let Some(line) = path_line {
        let _ = writeln!(out, "\n{line}");
        "  # noqa: E402"
    } else {
        ""
    };
    let names: BTreeSet<&str> =
        targets.iter().flat_map(|target| target.imports.iter().map(String::as_str)).collect();
    if !names.is_empty() {
        let names: Vec<&str> = names.into_iter().collect();
        let names = names.join(", ");
        let _ = writeln!(out, "\nfrom {} import {names}{late}", module.dotted);
    }
    for target in targets {
        out.push_str("\n\n");
        if !pytest {
            let _ = writeln!(out, "class {}(unittest.TestCase):", class_name(&target.name));
        }
        for (index, case) in target.cases.iter().enumerate() {
            if index > 0 {
                out.push_str(if *pytest { "\n\n" } else { "\n" });
            }
            test(&mut out, &test_name(&target.name, index + 1), case, *pytest);
        }
    }
    if !code.trim().is_empty() {
        let _ = writeln!(out, "\n\n{}", code.trim());
    }
    out
}

/// The name of the test of a function's `number`th case.
pub(super) fn test_name(function: &str, number: usize) -> String {
    let name = function.replace('.', "_").to_lowercase();
    format!("test_{}_current_behaviour_{number}", name.trim_matches('_'))
}

fn class_name(function: &str) -> String {
    let words = function.split(['.', '_']).filter(|word| !word.is_empty());
    let capital = |word: &str| {
        let mut letters = word.chars();
        let first = letters.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
        first + letters.as_str()
    };
    format!("Test{}", words.map(capital).collect::<String>())
}

/// The line that makes the module importable wherever the tests are started, unless the test file
/// lies beside it or a `conftest.py` there does so.
fn path_line(plan: &Plan<'_>) -> Option<String> {
    let here = plan.file.parent()?;
    let folder = &plan.module.folder;
    if here == folder || folder.join("conftest.py").is_file() {
        return None;
    }
    // Up to the first common folder, then down.
    let up = here.ancestors().position(|ancestor| folder.starts_with(ancestor))?;
    let common = here.ancestors().nth(up)?;
    let down = folder.strip_prefix(common).ok()?;
    let mut expression = format!("Path(__file__).resolve().parents[{up}]");
    for part in down {
        let _ = write!(expression, " / \"{}\"", part.to_string_lossy());
    }
    Some(format!("sys.path.insert(0, str({expression}))"))
}

fn test(out: &mut String, name: &str, case: &Case, pytest: bool) {
    let (indent, receiver) = if pytest { ("", "") } else { ("    ", "self") };
    let _ = writeln!(out, "{indent}def {name}({receiver}):");
    for line in body(case, pytest) {
        let _ = writeln!(out, "{indent}    {line}");
    }
}

fn body(case: &Case, pytest: bool) -> Vec<String> {
    let equal = |left: &str, right: &str| {
        if pytest {
            format!("assert {left} == {right}")
        } else {
            format!("self.assertEqual({left}, {right})")
        }
    };
    match case {
        Case::Value { call, value, .. } if matches!(value.as_str(), "None" | "True" | "False") => {
            vec![if pytest {
                format!("assert {call} is {value}")
            } else {
                format!("self.assertIs({call}, {value})")
            }]
        }
        Case::Value { call, value, .. } if case.is_plain_float() => vec![if pytest {
            format!("assert {call} == pytest.approx({value})")
        } else {
            format!("self.assertAlmostEqual({call}, {value})")
        }],
        Case::Value { call, value, .. } => vec![equal(call, value)],
        Case::Type { call, type_name, len } => {
            let mut lines = vec![format!("result = {call}")];
            lines.push(equal("type(result).__name__", &format!("\"{type_name}\"")));
            lines.extend(len.map(|len| equal("len(result)", &len.to_string())));
            lines
        }
        Case::Raises { call, exception } => {
            let with = if pytest { "pytest.raises" } else { "self.assertRaises" };
            vec![format!("with {with}({exception}):"), format!("    {call}")]
        }
        Case::Mutates { call, before, after } => {
            vec![format!("argument = {before}"), call.clone(), equal("argument", after)]
        }
    }
}

impl Case {
    fn texts(&self) -> Vec<&str> {
        match self {
            Self::Value { call, .. } | Self::Type { call, .. } | Self::Raises { call, .. } => {
                vec![call]
            }
            Self::Mutates { call, before, .. } => vec![call, before],
        }
    }

    /// Whether it is one floating-point number, which is compared approximately.
    fn is_plain_float(&self) -> bool {
        matches!(self, Self::Value { value, float: true, .. } if value.parse::<f64>().is_ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(pytest: bool) -> String {
        let value = |call: &str, value: &str, float| Case::Value {
            call: call.to_owned(),
            value: value.to_owned(),
            float,
        };
        let module = Module { folder: "/p/src".into(), dotted: "shop.cart".to_owned() };
        let plan = Plan { module: &module, file: Path::new("/p/tests/test_cart.py"), pytest };
        let target = Recorded {
            name: "Cart.total".to_owned(),
            cases: vec![
                value("Cart(1).total()", "1", false),
                value("Cart(1).total()", "0.5", true),
                value("Cart(1).total()", "True", false),
                Case::Raises {
                    call: "Cart(0).total()".to_owned(),
                    exception: "ValueError".to_owned(),
                },
                Case::Type {
                    call: "Cart(2).total()".to_owned(),
                    type_name: "Money".to_owned(),
                    len: Some(2),
                },
                Case::Mutates {
                    call: "sort(argument)".to_owned(),
                    before: "[2, 1]".to_owned(),
                    after: "[1, 2]".to_owned(),
                },
            ],
            imports: vec!["Cart".to_owned()],
            suspects: Vec::new(),
            reason: None,
        };
        file(&plan, &[target], "")
    }

    #[test]
    fn unittest_is_enough() {
        insta::assert_snapshot!(rendered(false), @r#"
        """Tests of shop.cart.

        Tests named current_behaviour record what the code did when they were written;
        they are not a specification.
        """

        import sys
        import unittest
        from pathlib import Path

        sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

        from shop.cart import Cart  # noqa: E402


        class TestCartTotal(unittest.TestCase):
            def test_cart_total_current_behaviour_1(self):
                self.assertEqual(Cart(1).total(), 1)

            def test_cart_total_current_behaviour_2(self):
                self.assertAlmostEqual(Cart(1).total(), 0.5)

            def test_cart_total_current_behaviour_3(self):
                self.assertIs(Cart(1).total(), True)

            def test_cart_total_current_behaviour_4(self):
                with self.assertRaises(ValueError):
                    Cart(0).total()

            def test_cart_total_current_behaviour_5(self):
                result = Cart(2).total()
                self.assertEqual(type(result).__name__, "Money")
                self.assertEqual(len(result), 2)

            def test_cart_total_current_behaviour_6(self):
                argument = [2, 1]
                sort(argument)
                self.assertEqual(argument, [1, 2])
        "#);
    }

    #[test]
    fn pytest_gets_plain_functions() {
        let text = rendered(true);
        assert!(text.contains("import pytest\n"), "{text}");
        assert!(text.contains("def test_cart_total_current_behaviour_2():\n    assert Cart(1).total() == pytest.approx(0.5)\n"));
        assert!(text.contains("    with pytest.raises(ValueError):\n        Cart(0).total()\n"));
        assert!(!text.contains("unittest"));
    }
}
