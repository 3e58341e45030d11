#!/usr/bin/env bash
# One network each of digits and of steel, three seeds, quantized in 8 and in 4 bits, after calibration alone and after training in int8 form.
# Arguments: overrides for all trainings, such as train.epochs=20.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

quantized() {  # run, words of quantize.int4, more overrides
  condenser quantize "runs/$1" quantize.int4="$2" quantize.max_loss=100 "${@:3}" > /dev/null
  python3 - "runs/$1" "$*" <<'PY'
import json, sys
r = json.load(open(sys.argv[1] + "/quant_report.json"))
print(f'{sys.argv[2]}: float {r["test_float"]["accuracy_percent"]:.2f}, int8 form {r["test_int8"]["accuracy_percent"]:.2f}')
PY
}

for seed in 1 2 3; do
  condenser run experiments/digits_quickstart/run.yaml name="int4_digits_$seed" seed="$seed" 'stages=[search,train]' "$@" > /dev/null
  condenser run experiments/neu_64/run.yaml name="int4_neu_$seed" train.seed="$seed" train.epochs=80 "$@" > /dev/null
  for run in "int4_digits_$seed" "int4_neu_$seed"; do
    quantized "$run" '[]'
    for words in '[inner]' '[all]'; do
      quantized "$run" "$words" quantize.weight_rounding=nearest quantize.qat.epochs=0
      quantized "$run" "$words" quantize.weight_rounding=learned quantize.qat.epochs=0
      quantized "$run" "$words" quantize.weight_rounding=nearest quantize.qat.epochs=5
    done
  done
done
