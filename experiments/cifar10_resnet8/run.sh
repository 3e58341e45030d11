#!/usr/bin/env bash
# Trains with three seeds and prints the accuracy on the test part. Arguments: overrides such as train.epochs=10.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
condenser=${CONDENSER:-build/release/condenser}
for seed in 1 2 3; do
  "$condenser" run experiments/cifar10_resnet8/run.yaml name=cifar10_resnet8_$seed seed=$seed "$@"
  "$condenser" eval runs/cifar10_resnet8_$seed | sed -n 1p
done
