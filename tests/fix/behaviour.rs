//! Repairs that compile and may change what the program does are proposed, not called proved.

use super::*;

#[tokio::test]
async fn what_the_model_makes_compile_is_not_called_proved() {
    for (text, answer) in [
        ("x = 5 5\n", "x = 5 * 3 if 5 else 5"),
        ("x = 1$\n", "x = 1.00000000000000"),
        ("x = 5 5\n", "x = 5; 5"),
    ] {
        let project = Project::new(&[("m.py", text)]);
        let script = || model_that_says(answer);
        let outcome = project.fix_with("m.py", Options::default(), script()).await.unwrap();
        assert_eq!(unproved(&outcome), format!("{answer}\n"));
        // With a test it is.
        let test = Some(format!("{} m.py", python().display()));
        let options = Options { test, ..Options::default() };
        let outcome = project.fix_with("m.py", options, script()).await.unwrap();
        assert_eq!(project.text_after("m.py", &outcome), format!("{answer}\n"));
    }
    let project =
        Project::rust("fn main() {}\n\npub fn f(a: Option<i32>) -> i32 {\n    a + 1\n}\n");
    let script = model_that_says("a.map_or(1, |_| 1)");
    let outcome = project.fix_with("src/main.rs", Options::default(), script).await.unwrap();
    assert!(!outcome.verified, "{outcome:#?}");
}

#[tokio::test]
async fn a_panic_is_proposed_and_not_called_proved() {
    for text in [
        "fn main() {\n    let x: i32 = \"1\".parse();\n    println!(\"{x}\");\n}\n",
        "fn f() -> Result<i32, String> {\n    let x: i32 = \"1\".parse()?;\n    Ok(x)\n}\n\n\
         fn main() {\n    println!(\"{:?}\", f());\n}\n",
    ] {
        let project = Project::rust(text);
        let script = model_that_says("let x: i32 = \"1\".parse().unwrap();");
        let outcome = project.fix_with("src/main.rs", Options::default(), script).await.unwrap();
        let new = unproved(&outcome);
        assert!(new.contains(".unwrap()") || new.contains(".expect("), "{new}");
    }
}

#[tokio::test]
async fn an_octal_number_of_python_2_is_proposed_as_one() {
    let project = Project::new(&[("m.py", "x = 0777\n")]);
    let outcome = project.fix("m.py", Options::default()).await.unwrap();
    assert_eq!(unproved(&outcome), "x = 0o777\n");
}

#[tokio::test]
async fn an_empty_block_takes_in_nothing_that_follows() {
    for (text, new) in [
        (
            "def f(x):\n\n\ndef g():\n    return 1\n",
            "def f(x):\n    pass\n\n\ndef g():\n    return 1\n",
        ),
        (
            "for i in range(3):\n\nprint(\"done\")\n",
            "for i in range(3):\n    pass\n\nprint(\"done\")\n",
        ),
        ("def f(x):\n", "def f(x):\n    pass\n"),
    ] {
        let project = Project::new(&[("m.py", text)]);
        let script = model_that_says("    return 0");
        let outcome = project.fix_with("m.py", Options::default(), script).await.unwrap();
        assert_eq!(unproved(&outcome), new);
    }
    // Right below its header a line can only be its block.
    let project = Project::new(&[("m.py", "def f(x):\nreturn x\n")]);
    assert_eq!(project.fixed("m.py").await, "def f(x):\n    return x\n");
}
