#!/usr/bin/env bash
# scripts/fetch_dataset.sh with a table and files of its own: everything through file:// addresses.
set -euo pipefail
script=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)/scripts/fetch_dataset.sh
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
source=$tmp/source data=$tmp/data table=$tmp/table
mkdir -p "$source/inner/batches" "$data"
seq 1 5000 >"$source/one.bin"
seq 1 10 >"$source/two.bin"
seq 1 99 >"$source/inner/batches/a.bin"
tar -czf "$source/set.tar.gz" -C "$source/inner" batches
sum() { sha256sum "$1" | cut -d' ' -f1; }
cat >"$table" <<T
# a comment
kept     kept_folder  file://$source/one.bin     $(sum "$source/one.bin")     keep
kept     kept_folder  file://$source/two.bin     $(sum "$source/two.bin")     keep
packed   packed       file://$source/set.tar.gz  $(sum "$source/set.tar.gz")  unpack
wrong    wrong        file://$source/one.bin     $(printf '%064d' 7)          keep
unknown  unknown      file://$source/two.bin     -                            keep
missing  missing      file://$source/none.bin    $(printf '%064d' 7)          keep
T

failures=0
check() {  # WHAT COMMAND...
  local what=$1
  shift
  if ! "$@"; then echo "FAILED: $what" >&2; failures=$((failures + 1)); fi
}
run() {  # expected exit code, arguments; output in $out
  local expected=$1 code=0
  shift
  out=$("$script" --table "$table" --to "$data" "$@" 2>&1) || code=$?
  check "exit code $code of '$*', expected $expected: $out" test "$code" = "$expected"
}
says() { [[ $out == *"$1"* ]]; }
absent() { [[ ! -e $1 ]]; }

run 0 kept
check "files arrive" cmp "$source/one.bin" "$data/kept_folder/one.bin"
check "all files arrive" cmp "$source/two.bin" "$data/kept_folder/two.bin"
check "nothing is left behind" absent "$data/.fetch-kept"
run 0 kept
check "a second call finds it" says "already there"

run 0 packed
check "archives lose their outermost folder" cmp "$source/inner/batches/a.bin" "$data/packed/a.bin"

run 1 wrong
check "both checksums are shown" says "sha256 $(sum "$source/one.bin"); expected $(printf '%064d' 7)"
check "nothing of a wrong file arrives" absent "$data/wrong"
check "a wrong file is thrown away" absent "$data/.fetch-wrong/one.bin"

run 1 unknown
check "an unknown checksum is shown" says "call again with --accept $(sum "$source/two.bin")"
check "nothing arrives unasked" absent "$data/unknown"
run 1 unknown --accept "$(printf '%064d' 8)"
check "another one is refused" absent "$data/unknown"
run 0 unknown --accept "$(sum "$source/two.bin")"
check "an accepted file arrives" cmp "$source/two.bin" "$data/unknown/two.bin"

run 1 missing
check "a missing file is named" says "none.bin: download failed"
check "nothing of it arrives" absent "$data/missing"

# Interrupted: the first half is there; then rubbish is there.
for left in "$(head -c 7000 "$source/one.bin")" rubbish; do
  rm -rf "$data/kept_folder"
  mkdir -p "$data/.fetch-kept/ready"
  printf '%s' "$left" >"$data/.fetch-kept/one.bin"
  touch "$data/.fetch-kept/ready/half_made"
  run 0 kept
  check "a download goes on" cmp "$source/one.bin" "$data/kept_folder/one.bin"
  check "a half-made folder does not come along" absent "$data/kept_folder/half_made"
done

# Another place for the same files.
mkdir "$tmp/mirror"
mv "$source/set.tar.gz" "$tmp/mirror/"
rm -rf "$data/packed"
run 1 packed
run 0 packed --from "file://$tmp/mirror/"
check "a mirror serves" cmp "$source/inner/batches/a.bin" "$data/packed/a.bin"

run 2 nothing_of_that_name
check "the known names are listed" says "known: kept, missing, packed, unknown, wrong"
run 2
run 2 kept --to
run 0 --list
check "the list" says "packed"
check "every set of the repository has a card" bash -c 'cd "$(dirname "$1")/.." && for n in $(scripts/fetch_dataset.sh --list); do test -f "datasets/$n/card.yaml" || exit 1; done' _ "$script"

# The split of VWW.
mkdir -p "$tmp/vww/top/person" "$tmp/vww/top/non_person"
for i in $(seq 10 29); do echo "$i" >"$tmp/vww/top/person/$i.jpg"; echo "$i" >"$tmp/vww/top/non_person/$i.jpg"; done
tar -czf "$source/vww.tar.gz" -C "$tmp/vww" top
echo "vww vww file://$source/vww.tar.gz $(sum "$source/vww.tar.gz") unpack" >>"$table"
run 0 vww
check "nine tenths are for training" test "$(wc -l <"$data/vww/train.csv")" = 37
check "one tenth is for the test" test "$(wc -l <"$data/vww/test.csv")" = 5
check "rows are path and label" grep -qx "non_person/19.jpg,non_person" "$data/vww/test.csv"

((failures == 0)) || { echo "$failures checks failed" >&2; exit 1; }
echo "fetch_dataset.sh: all checks passed"
