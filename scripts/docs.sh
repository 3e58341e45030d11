#!/usr/bin/env bash
# Builds the pages of docs/ into build/docs, a site that opens from the disk. Installs MkDocs into .venv when it is not there.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
python=.venv/bin/python
[[ -x $python ]] || python=python3
"$python" -m mkdocs --version > /dev/null 2>&1 || "$python" -m pip install --quiet mkdocs==1.6.1
"$python" -m mkdocs build --quiet
echo "build/docs/index.html"
