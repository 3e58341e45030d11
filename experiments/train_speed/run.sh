#!/usr/bin/env bash
# Measures the table anew: results/ and the end of README.md. The first argument: seconds per network.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
here=experiments/train_speed
mkdir -p $here/results
.venv/bin/python scripts/bench_train.py --networks "$here/dcac_32.yaml,$here/digits_smallest.yaml,resnet8,zoo" --threads 2 --seconds "${1:-8}" \
  --out $here/results/train_speed.json
sed -i '/^<!-- measured by run.sh -->$/q' $here/README.md
(echo && .venv/bin/python scripts/bench_train.py --show $here/results/train_speed.json) >> $here/README.md
