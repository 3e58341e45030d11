#!/usr/bin/env bash
# The search, its winner and the references with three seeds, and who is right about the same pictures.
# About two hours on two cores. Parts by name: run.sh search seeds compare. Killed, it goes on where it stood.
set -euo pipefail
prefix=cifar_ref
source "$(dirname "${BASH_SOURCE[0]}")/../references.sh"

seeds() {
  trained found runs/cifar10_tiny/winner.arch.json
  trained resnet8 resnet8
  trained shufflenet_v2_0_5 "$here/shufflenet_v2_0_5.yaml"
}

compare() { against found=found ResNet-8=resnet8 "ShuffleNetV2 0.5=shufflenet_v2_0_5"; }

parts "search seeds compare" "$@"
