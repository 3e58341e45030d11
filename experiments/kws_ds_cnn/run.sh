#!/usr/bin/env bash
# Three seeds, accuracy on the test part of each. Arguments: overrides such as train.epochs=10.
exec "$(dirname "${BASH_SOURCE[0]}")/../../scripts/three_seeds.sh" kws_ds_cnn "$@"
