#!/usr/bin/env bash
# Trains, exports, proves and measures row by row; then the same network on windows. Arguments: overrides such as train.epochs=10.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
condenser=${CONDENSER:-build/release/condenser}
"$condenser" run experiments/keywords_stream/run.yaml "$@"
"$condenser" eval runs/keywords_stream --stream
"$condenser" eval runs/keywords_stream export.stream=window export.stream_hop=5 --stream
