#!/usr/bin/env bash
# What int8 loses on four data sets: float, after calibration, after training in int8 form. Arguments: seeds (1 2 3).
# Prints a line for each network and seed: test accuracy in percent.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
runs=$(mktemp -d)
trap 'rm -r "$runs"' EXIT

# name, card, network, options of training
networks="digits datasets/digits experiments/own_network/my_net.yaml epochs:8,batch_size:64,optimizer:adamw,lr:0.004
neu datasets/neu_surface_defects experiments/neu_64/net.yaml epochs:30,batch_size:32,optimizer:adamw,lr:0.005
speech datasets/speech_commands_subset experiments/kws_ds_cnn/ds_cnn.yaml epochs:30,batch_size:32,optimizer:adamw,lr:0.01
cifar10 datasets/cifar10 experiments/cifar10_resnet8/resnet8.yaml epochs:12,batch_size:64,optimizer:sgd,lr:0.1"

accuracies() { # float and int8, of a report
  grep -o '"accuracy_percent": [0-9.]*' "$1/quant_report.json" | sed 's/.*: //' | head -2 | tr '\n' ' '
}

for seed in ${*:-1 2 3}; do
  while read -r name card spec options; do
    file="$runs/$name.yaml" run="runs/int8_loss_${name}_$seed"
    printf 'condenser: 1\nname: int8_loss_%s_%s\nseed: %s\nstages: [train, quantize]\ndataset: {card: %s}\nspec: %s\ngate: {rules: []}\ntrain: {%s}\nquantize: {max_loss: 100}\n' \
      "$name" "$seed" "$seed" "$card" "$spec" "$(sed 's/:/: /g; s/,/, /g' <<< "$options")" > "$file"
    condenser run "$file" > /dev/null
    calibrated=$(accuracies "$run")
    condenser quantize "$run" quantize.qat.epochs=4 > /dev/null
    echo "$name $seed $calibrated$(accuracies "$run" | cut -d' ' -f2)"
  done <<< "$networks"
done
