# Sourced by run.sh of experiments that put what a search found beside references: all trained with reference.yaml of the same folder, seeds 1 to 3.
# Needs $prefix, what the names of these runs begin with. Killed, every part goes on where it stood.
here=experiments/$(basename "$(cd "$(dirname "${BASH_SOURCE[1]}")" && pwd)")
cd "$(dirname "${BASH_SOURCE[0]}")/.."
condenser=${CONDENSER:-build/release/condenser}

run() { "$condenser" run "$@" train.threads=1 > /dev/null; }

search() { run "$here/run.yaml"; }  # experiments with more than one search have their own

trained() {  # name, spec, overrides
  local seed
  for seed in 1 2 3; do run "$here/reference.yaml" name="${prefix}_$1_$seed" spec="$2" train.seed=$seed "${@:3}"; done
}

against() {  # label=name of each network, the found one first: the table, and who is right about the same items, seed by seed
  local seed word
  CONDENSER=$condenser scripts/seeds_table.py "${@/=/=${prefix}_}"
  for seed in 1 2 3; do
    for word in "${@:2}"; do
      "$condenser" eval "runs/${prefix}_${1#*=}_$seed" --against "runs/${prefix}_${word#*=}_$seed" --int8 | tail -n 1
    done
  done
}

parts() {  # all parts, then those that were asked for
  local all=$1 name
  shift
  for name in ${@:-$all}; do $name; done
}
