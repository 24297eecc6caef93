//! `py_compile`, ruff, mypy, pyright, pytest: diagnostics and proofs for Python.
