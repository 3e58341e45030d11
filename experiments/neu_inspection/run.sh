#!/usr/bin/env bash
# The search, its winner and the references with three seeds, who is right about the same pictures, shifts, and ablations of the winner.
# Two to three hours on two cores. Parts by name: run.sh search seeds compare ablations random. Killed, it goes on where it stood.
set -euo pipefail
prefix=neu_ref
source "$(dirname "${BASH_SOURCE[0]}")/../references.sh"

seeds() {
  trained found runs/neu_inspection/winner.arch.json
  trained resnet8 resnet8
  trained mobilenet_v1_025_96 mobilenet_v1_025_96
  trained neu_64 experiments/neu_64/net.yaml
}

compare() {
  local other
  against found=found ResNet-8=resnet8 "MobileNetV1 0.25=mobilenet_v1_025_96" "network of neu_64=neu_64"
  for other in found resnet8 mobilenet_v1_025_96; do
    echo "$other moved by one pixel: $("$condenser" eval runs/neu_ref_${other}_1 --int8 --shift 1 | tail -n 1)"
  done
}

# The winner's choices with one of them changed, trained alike: no attention; no columns; a maximum instead of the average.
ablations() {
  local genotype seed
  genotype=$(python3 -c 'import json; print(json.load(open("runs/neu_inspection/winner.json"))["genotype"])')
  ablated() {  # name, genotype, overrides
    for seed in 1 2 3; do
      run "$here/run.yaml" name="neu_ablation_$1_$seed" 'stages=[search,train,quantize]' search.trials=1 search.prototypes="[\"$2\"]" train.seed=$seed \
        search.generator=random search.window=0 search.parallel=1 search.objective=params probe.epochs=1 'probe.rungs=[]' probe.warmup_epochs=0 probe.samples=64 'probe.scores=[]' \
        'gate.rules=[]' gate.max_macs=0 gate.max_constant_bytes=0 gate.comparator.max_macs=0 gate.comparator.max_params=0 gate.comparator.min_accuracy=1 "${@:3}"
    done
  }
  ablated no_attention "$(sed -E 's/attention=[a-z]+/attention=false/g' <<< "$genotype")"
  ablated no_columns "$(sed -E 's/columns=[0-9]/columns=1/g' <<< "$genotype")" 'space.s1.columns=[1]' 'space.s2.columns=[1]' 'space.s3.columns=[1]' 'space.s4.columns=[1]'
  ablated max_pool "$genotype" 'space.downsampling=[max2]'
  CONDENSER=$condenser scripts/seeds_table.py found=neu_ref_found "no attention=neu_ablation_no_attention" "no columns=neu_ablation_no_columns" \
    "maximum instead of average=neu_ablation_max_pool"
  echo "max_pool moved by one pixel: $("$condenser" eval runs/neu_ablation_max_pool_1 --int8 --shift 1 | tail -n 1)"
}

# As many examinations, drawn by chance.
random() {
  run "$here/run.yaml" name=neu_random 'stages=[search]' search.generator=random
  "$condenser" study show runs/neu_random | tail -n 12
}

parts "search seeds compare ablations random" "$@"
