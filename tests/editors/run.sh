#!/usr/bin/env bash
# A real Neovim, driven by typed keys, against the real program.
#   E2E_BASE   folder for everything that is installed or written (default target/test-tools/editors)
#   VENV       Python environment with tests/lsp/requirements.txt (default target/test-tools/venv)
#   AGENT_BIN  the program (default target/debug/agent)
# Exit 0: passed; 77: skipped, Neovim cannot be installed here; else failed.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../.." && pwd)
export E2E_BASE=${E2E_BASE:-$top/target/test-tools/editors}
export AGENT_BIN=${AGENT_BIN:-$top/target/debug/agent}
python=${VENV:-$top/target/test-tools/venv}/bin/python

mkdir -p "$E2E_BASE"
[ -x "$AGENT_BIN" ] || { echo "$AGENT_BIN: not there; run cargo build first"; exit 1; }
"$python" -c 'import pynvim' 2>/dev/null || { echo "$python has no pynvim; install tests/lsp/requirements.txt"; exit 1; }
if [ -z "${NVIM:-}" ]; then
  NVIM=$E2E_BASE/nvim
  if ! [ -x "$NVIM" ] || ! "$NVIM" --version >/dev/null 2>&1; then
    "$here/install-nvim.sh" "$E2E_BASE" >"$E2E_BASE/install.log" 2>&1 || {
      echo "skipped: Neovim 0.12 could not be installed: $(tail -1 "$E2E_BASE/install.log")"
      exit 77
    }
  fi
fi
export NVIM
timeout 300 "$python" "$here/drive_nvim.py"
