#!/usr/bin/env bash
# Four networks on four data sets, each quantized after calibration, after training in int8 form, and with weights of 4 bits trained so.
# SEEDS="1 2 3" repeats it. Arguments: overrides for the trainings. About a quarter of an hour of one core a seed. Lines of CSV on the output.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

quantized() {  # run, seed, form, overrides
  local run=$1 seed=$2 form=$3
  shift 3
  condenser quantize "runs/$run" quantize.observer=percentile quantize.max_loss=100 "$@" > /dev/null
  python3 - "$run" "$seed" "$form" "runs/$run/quant_report.json" <<'PY'
import json, sys
run, seed, form, path = sys.argv[1:]
report = json.load(open(path))
f, i = report["test_float"], report["test_int8"]
print(f'{run.rsplit("_", 1)[0]},{seed},{form},{f["correct"]},{i["correct"]},{f["total"]}', flush=True)
PY
}

trained() {  # name, run file, overrides
  condenser run "$2" name="$1_$seed" train.seed="$seed" train.on_validation=false train.threads=1 'stages=[train]' "${@:3}" > /dev/null
  quantized "$1_$seed" "$seed" calibrated quantize.qat.epochs=0 'quantize.int4=[]'
  quantized "$1_$seed" "$seed" trained quantize.qat.epochs=5 'quantize.int4=[]'
  quantized "$1_$seed" "$seed" int4_trained quantize.qat.epochs=5 'quantize.int4=[inner]'
}

echo "network,seed,form,float_correct,int8_correct,items"
for seed in ${SEEDS:-1}; do
  trained int8_digits experiments/int8_accuracy/digits.yaml "$@"
  trained int8_steel experiments/neu_64/run.yaml train.epochs=80 "$@"
  trained int8_words experiments/kws_ds_cnn/run.yaml "$@"
  trained int8_cifar experiments/cifar10_resnet8/run.yaml train.epochs=12 "$@"
done
