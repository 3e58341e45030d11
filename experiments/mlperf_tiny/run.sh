#!/usr/bin/env bash
# The int8 reference models of MLPerf Tiny as C for a Cortex-M4: imports them, exports, proves, measures. Writes results.csv here.
# Needs $CONDENSER_DATA/mlperf_tiny (https://github.com/mlcommons/tiny), and what scripts/setup.sh --dev installs.
#
#   experiments/mlperf_tiny/run.sh build/release/condenser
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
condenser=$(realpath "${1:?the program, e.g. build/release/condenser}")
models=${CONDENSER_DATA:?the folder that holds mlperf_tiny}/mlperf_tiny/models
nets=${NETS:-runs/mlperf_tiny}
python=${CONDENSER_PYTHON:-$here/../../.venv/bin/python}
for name in ad01_int8 kws_ref_model pretrainedResnet_quant pretrainedResnet_large_int8 str_ww_ref_model vww_96_int8; do
  "$condenser" import "$models/$name.tflite" -o "$nets/$name" --replace >/dev/null
  "$condenser" export "$nets/$name" --target c99,tflite >/dev/null
  "$condenser" verify "$nets/$name" --machine cortex-m4 >"$nets/$name/verify.txt"
done
"$python" "$here/collect.py" "$models" "$nets" >"$here/results.csv"
