#!/usr/bin/env bash
# Set up, build, run every test: the release build with LibTorch; then, with clang and its sanitizers, the fast tests of the core again and a few seconds of fuzzing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/phases.sh

phase "set-up" scripts/setup.sh --dev
phase "build (ci)" build ci all
phase "tests" ctest --preset ci --no-tests=error
phase "build (sanitizers)" build asan condenser_core_tests condenser fuzz
phase "tests (sanitizers)" ctest --preset asan --no-tests=error -L fast
phase "fuzzing" scripts/fuzz.sh 3
print_phases
