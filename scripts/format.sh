#!/usr/bin/env bash
# Formats every source; with --check only says what would change, and fails.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
mode=(-i)
[[ ${1:-} == --check ]] && mode=(--dry-run --Werror)
git ls-files -z '*.cpp' '*.hpp' '*.c' '*.h' | xargs -0 clang-format "${mode[@]}"
