#!/usr/bin/env bash
# Fuzzes every reader of foreign bytes: pictures, sounds, IDX, CIFAR, CSV, cards, weights, Spec files. Builds them with clang, address and
# undefined-behaviour sanitizers (preset asan), starts from tests/fuzz/corpus, and keeps what it finds in build/fuzz/corpus.
#
#   scripts/fuzz.sh                 60 seconds each
#   scripts/fuzz.sh 5               5 seconds each
#   scripts/fuzz.sh 600 jpeg png    some of them
#
# Exit code 1 and the input in build/fuzz/findings when something is found.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

seconds=${1:-60}
[[ $seconds =~ ^[0-9]+$ ]] || { echo "fuzz.sh: $seconds; expected seconds per target, then names of targets" >&2; exit 2; }
command -v clang++ >/dev/null || { echo "fuzz.sh: no clang++; install it with scripts/setup.sh --dev" >&2; exit 2; }
folder=build/fuzz built=build/asan
cmake --preset asan >/dev/null
cmake --build --preset asan --target fuzz

targets=("${@:2}")
if ((${#targets[@]} == 0)); then
  for binary in "$built"/fuzz_*; do
    [[ -x $binary && -f $binary ]] && targets+=("${binary##*/fuzz_}")
  done
fi
mkdir -p "$folder/findings"
found=()
for target in "${targets[@]}"; do
  mkdir -p "$folder/corpus/$target"
  log=$folder/$target.log
  limit=(-max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 -max_len=16384)
  if ! "$built/fuzz_$target" "${limit[@]}" -artifact_prefix="$folder/findings/$target-" -print_final_stats=1 \
    "$folder/corpus/$target" "tests/fuzz/corpus/$target" >"$log" 2>&1; then
    found+=("$target")
    grep -E "ERROR|SUMMARY|runtime error|Test unit written" "$log" | head -5 >&2 || true
  fi
  printf '%-12s %12s inputs  %s\n' "$target" "$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")" \
    "$([[ " ${found[*]-} " == *" $target "* ]] && echo "FOUND, see $log" || echo clean)"
done
((${#found[@]} == 0)) || { echo "fuzz.sh: findings in ${found[*]}; inputs in $folder/findings" >&2; exit 1; }
