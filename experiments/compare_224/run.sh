#!/usr/bin/env bash
# Measures the table anew: results/ and the end of README.md. The first argument: seconds per network and setting.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
here=experiments/compare_224
networks=(dcac_sca_325mf mobilenet_v1 mobilenet_v2 mobilenet_v3_large mobilenet_v3_small mobileone_s0 mobileone_s1 fbnet_c
  shufflenet_v2_1_0 ghostnet_1_0 efficientnet_b0 efficientnet_lite0 resnet50)
"${CONDENSER:-build/release/condenser}" compare "${networks[@]}" --input 3x224x224 --classes 1000 --batch 1,32 --threads 1,2 \
  --seconds "${1:-10}" -o $here/results
sed -i '/^<!-- measured by run.sh -->$/q' $here/README.md
(echo && cat $here/results/compare.md) >> $here/README.md
