#!/usr/bin/env bash
# The searches, their winners and the references with three seeds, and who is right about the same clips.
# About two hours on two cores. Parts by name: run.sh search seeds compare. Killed, it goes on where it stood.
set -euo pipefail
prefix=kw_ref
source "$(dirname "${BASH_SOURCE[0]}")/../references.sh"

# What was chosen together with a winner, as options of a training of it.
choices() {
  python3 - "$1" <<'PY'
import json, re, sys
genotype = json.load(open(f"runs/{sys.argv[1]}/winner.json"))["genotype"]
for option in ("coefficients", "stride_ms"):
    print(f"dataset.front_end.{option}=" + re.search(rf"front_end_{option}=(\d+)", genotype)[1])
if "int4=inner" in genotype:
    print("quantize.int4=[inner]")
PY
}

search() {
  # Exit code 6: the winner's int8 accuracy on the test part is below what the comparator asks for; the comparison goes on.
  run "$here/run.yaml" || [[ $? == 6 ]]
  run "$here/small.yaml" || [[ $? == 6 ]]
}

seeds() {
  # shellcheck disable=SC2046
  trained found runs/keywords/winner.arch.json $(choices keywords)
  # shellcheck disable=SC2046
  trained small runs/keywords_small/winner.arch.json $(choices keywords_small)
  trained ds_cnn experiments/kws_ds_cnn/ds_cnn.yaml
  trained tenet6_narrow tenet6_narrow dataset.front_end.coefficients=40 dataset.front_end.stride_ms=10
}

compare() {
  against found=found DS-CNN=ds_cnn "TENet6 narrow=tenet6_narrow"
  against small=small DS-CNN=ds_cnn
}

parts "search seeds compare" "$@"
