#!/usr/bin/env bash
# Set up, build, run every test: the release build with LibTorch, then the fast tests of the core again under address and undefined-behaviour sanitizers.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/phases.sh

phase "set-up" scripts/setup.sh --dev
phase "build (ci)" build ci all
phase "tests" ctest --preset ci --no-tests=error
phase "build (sanitizers)" build asan condenser_core_tests condenser
phase "tests (sanitizers)" ctest --preset asan --no-tests=error -L fast
print_phases
