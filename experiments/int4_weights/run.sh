#!/usr/bin/env bash
# A network of digits and one of steel, each quantized in 8 and in 4 bits: after calibration alone, with learned rounding, after training in int8 form.
# SEEDS="1 2 3" repeats it. Arguments: overrides for the trainings, such as train.epochs=20. Half an hour a seed on two cores.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

quantized() {  # run, words of quantize.int4, rounding, epochs in int8 form
  condenser quantize "runs/$1" quantize.int4="$2" quantize.weight_rounding="$3" quantize.qat.epochs="$4" quantize.max_loss=100 > /dev/null
  python3 - "$*" "runs/$1/quant_report.json" <<'PY'
import json, sys
r = json.load(open(sys.argv[2]))
print(f'{sys.argv[1]}: float {r["test_float"]["accuracy_percent"]:.2f}, integers {r["test_int8"]["accuracy_percent"]:.2f}')
PY
}

for seed in ${SEEDS:-1}; do
  digits=int4_digits_$seed steel=int4_neu_$seed
  condenser run experiments/digits_quickstart/run.yaml name="$digits" seed="$seed" 'stages=[search,train]' "$@" > /dev/null
  condenser run experiments/neu_64/run.yaml name="$steel" train.seed="$seed" train.epochs=80 "$@" > /dev/null
  for words in '[]' '[inner]' '[all]'; do
    for run in "$digits" "$steel"; do
      quantized "$run" "$words" nearest 0
      quantized "$run" "$words" learned 0
    done
  done
  for words in '[inner]' '[all]'; do
    quantized "$digits" "$words" nearest 4
    quantized "$steel" "$words" nearest 5
  done
done
