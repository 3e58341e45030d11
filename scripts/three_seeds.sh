#!/usr/bin/env bash
# Runs an experiment with three seeds and prints the accuracy on the test part of each.
#   scripts/three_seeds.sh <folder below experiments> [overrides such as train.epochs=10]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
experiment=${1:?three_seeds.sh: which experiment? Give a folder below experiments/}
condenser=${CONDENSER:-build/release/condenser}
for seed in 1 2 3; do
  "$condenser" run "experiments/$experiment/run.yaml" name="${experiment}_$seed" seed=$seed "${@:2}"
  "$condenser" eval "runs/${experiment}_$seed" | tail -n 1
done
