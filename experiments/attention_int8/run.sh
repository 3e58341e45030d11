#!/usr/bin/env bash
# Every form of the attention block with every activation, quantized by the default, by trying, and trained on in int8 form.
# Arguments: overrides such as train.seed=2. Nine trainings of about three minutes on one core.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
here=experiments/attention_int8
nets=$(mktemp -d)
trap 'rm -r "$nets"' EXIT
for activation in silu relu relu6; do
  for form in published rescaled normalized; do
    case $form in published) option="" ;; rescaled) option="rescale: true, " ;; normalized) option="normalize: true, " ;; esac
    name=dcac_${form}_$activation
    sed "s/rescale: true, activation: relu6/${option}activation: $activation/; s/^name: .*/name: $name/" "$here/net.yaml" > "$nets/$name.yaml"
    condenser run "$here/run.yaml" name="$name" spec="$nets/$name.yaml" "$@" > /dev/null
    grep -h accuracy_percent "runs/$name/quant_report.json" | sed "s/^/$name after calibration /"
    condenser quantize "runs/$name" --auto > /dev/null
    grep -h accuracy_percent "runs/$name/quant_report.json" | sed "s/^/$name after trials of ranges and rounding /"
    condenser quantize "runs/$name" quantize.auto=false quantize.observer=mse quantize.qat.epochs=4 > /dev/null
    grep -h accuracy_percent "runs/$name/quant_report.json" | sed "s/^/$name after training in int8 form /"
  done
done
