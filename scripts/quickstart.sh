#!/usr/bin/env bash
# From a fresh clone to a verified int8 network in C: set up, build, run the main job on the bundled digits.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/phases.sh

phase "set-up" scripts/setup.sh
preset=${CONDENSER_PRESET:-release}  # continuous integration reuses its own build
phase "build ($preset)" build "$preset" condenser condenser_torch
phase "run" "build/$preset/condenser" run experiments/digits_quickstart/run.yaml "$@"
print_phases
