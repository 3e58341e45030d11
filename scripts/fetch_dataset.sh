#!/usr/bin/env bash
# Downloads a data set, verifies it and moves it into place in one step: its folder is whole or absent.
#
#   scripts/fetch_dataset.sh --list
#   scripts/fetch_dataset.sh cifar10_full             into $CONDENSER_DATA, or ../shared/data beside the checkout
#   scripts/fetch_dataset.sh cifar10_full --to /data
#
#   --accept SHA256  take a file whose checksum the table does not know; the first try prints what it found
#   --from URL       take the files of the table from another place (a mirror; file:///folder works too)
#   --table FILE     another table than datasets/fetch.txt
#
# Interrupted downloads go on where they stopped. Exit codes: 0 done or already there, 1 failed, 2 usage.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

table=datasets/fetch.txt to=${CONDENSER_DATA:-../shared/data} from='' accept='' name='' list=0
usage() { echo "fetch_dataset.sh: $1; expected NAME [--to FOLDER] [--accept SHA256] [--from URL] [--table FILE], or --list" >&2; exit 2; }
while (($#)); do
  case $1 in
    --list) list=1 ;;
    --to | --from | --accept | --table)
      (($# > 1)) || usage "$1 without a value"
      declare "${1#--}=$2"
      shift ;;
    -*) usage "unknown option $1" ;;
    *) [[ -z $name ]] || usage "more than one name"; name=$1 ;;
  esac
  shift
done

rows() { grep -vE '^ *(#|$)' "$table"; }
known=$(rows | awk '{print $1}' | sort -u)
if ((list)); then echo "$known"; exit 0; fi
[[ -n $name ]] || usage "no name"
grep -qxF -- "$name" <<<"$known" || usage "no data set $name (known: ${known//$'\n'/, })"

fail() { echo "fetch_dataset.sh: $1" >&2; exit 1; }
folder=$(rows | awk -v n="$name" '$1 == n {print $2; exit}')
target=$to/$folder
if [[ -d $target ]]; then echo "fetch_dataset.sh: $target is already there"; exit 0; fi
mkdir -p "$to" || fail "$to: cannot be made; choose another place with --to or CONDENSER_DATA"
work=$to/.fetch-$name
mkdir -p "$work"
exec 9>"$work/lock"
flock -n 9 || fail "$work: another fetch of $name is running; wait for it"

sum() { sha256sum "$1" | cut -d' ' -f1; }
download() {  # URL FILE, going on with what is there
  curl --fail --location --silent --show-error --connect-timeout 30 --retry 3 --continue-at - --output "$2" "$1"
}

get() {  # URL FILE SHA256
  local url=$1 file=$2 expected=$3 before=0
  [[ $expected == - ]] && expected=$accept
  [[ -f $file ]] && before=1
  if ((before)) && [[ -n $expected && $(sum "$file") == "$expected" ]]; then return; fi
  echo "fetch_dataset.sh: $url"
  if ! download "$url" "$file"; then
    ((before)) || fail "$url: download failed; call again to go on, or name another place with --from"
    rm -f "$file"  # the server may refuse to go on
    download "$url" "$file" || fail "$url: download failed; call again to go on, or name another place with --from"
    before=0
  fi
  local found
  found=$(sum "$file")
  if ((before)) && [[ -n $expected && $found != "$expected" ]]; then
    rm -f "$file"  # what was left from before does not belong to this file
    download "$url" "$file" || fail "$url: download failed; call again to go on"
    found=$(sum "$file")
  fi
  [[ -n $expected ]] || fail "$url: sha256 $found, and no checksum is known to compare it with; if you trust it, call again with --accept $found"
  [[ $found == "$expected" ]] && return
  rm -f "$file"
  fail "$url: sha256 $found; expected $expected; the file differs from what the card describes"
}

# What some sets need beyond unpacking.
prepare_vww() {  # FOLDER: the archive has no split: every tenth picture, by sorted name, is for the test
  (cd "$1" && find person non_person -name '*.jpg' | LC_ALL=C sort) |
    awk -F/ -v test="$1/test.csv" -v train="$1/train.csv" '
      BEGIN { print "path,label" >train; print "path,label" >test }
      { print $0 "," $1 >(NR % 10 == 0 ? test : train) }'
}

rm -rf "$work/ready"
mkdir -p "$work/ready"
while read -r _ _ url sha256 action <&3; do
  [[ -n $from ]] && url=${from%/}/${url##*/}
  file=$work/${url##*/}
  get "$url" "$file" "$sha256"
  case $action in
    keep) cp "$file" "$work/ready/" ;;
    unpack) tar --extract --file "$file" --directory "$work/ready" --strip-components=1 --no-same-owner ||
      fail "$file: cannot be unpacked" ;;
    *) fail "$table: action $action of $name; expected keep or unpack" ;;
  esac
done 3< <(rows | awk -v n="$name" '$1 == n')
if declare -F "prepare_$name" >/dev/null; then "prepare_$name" "$work/ready"; fi
sync -f "$work/ready"
mv -T "$work/ready" "$target"
rm -rf "$work"
echo "fetch_dataset.sh: $target is ready (card: datasets/$name)"
