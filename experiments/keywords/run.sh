#!/usr/bin/env bash
# The search, its winner and the references with three seeds, and who is right about the same clips.
# About an hour on two cores. Parts by name: run.sh search seeds compare. Killed, it goes on where it stood.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
here=experiments/keywords
condenser=${CONDENSER:-build/release/condenser}
run() { "$condenser" run "$@" train.threads=1 > /dev/null; }

# The front-end that was found with the winner, as options of the data.
front_end() {
  python3 - <<'PY'
import json, re
genotype = json.load(open("runs/keywords/winner.json"))["genotype"]
for option in ("coefficients", "stride_ms"):
    print(f"dataset.front_end.{option}=" + re.search(rf"front_end_{option}=(\d+)", genotype)[1])
PY
}

search() { run $here/run.yaml; }

seeds() {
  local seed
  for seed in 1 2 3; do
    # shellcheck disable=SC2046
    run $here/reference.yaml name=kw_ref_found_$seed spec=runs/keywords/winner.arch.json $(front_end) train.seed=$seed
    run $here/reference.yaml name=kw_ref_ds_cnn_$seed spec=experiments/kws_ds_cnn/ds_cnn.yaml train.seed=$seed
    run $here/reference.yaml name=kw_ref_tenet6_narrow_$seed spec=tenet6_narrow dataset.front_end.coefficients=40 dataset.front_end.stride_ms=10 \
      train.seed=$seed
  done
}

compare() {
  local seed other
  CONDENSER=$condenser scripts/seeds_table.py found=kw_ref_found DS-CNN=kw_ref_ds_cnn "TENet6 narrow=kw_ref_tenet6_narrow"
  for seed in 1 2 3; do
    for other in ds_cnn tenet6_narrow; do
      "$condenser" eval runs/kw_ref_found_$seed --against runs/kw_ref_${other}_$seed --int8 | tail -n 1
    done
  done
}

for part in "${@:-search seeds compare}"; do
  for name in $part; do $name; done
done
