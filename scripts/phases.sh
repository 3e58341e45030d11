# Sourced by the other scripts: runs a phase, and prints the time of each at the end.
phase_names=() phase_seconds=()
phase() {  # phase <name> <command...>
  local name=$1 start=$EPOCHREALTIME status=0
  shift
  echo "== $name"
  "$@" || status=$?
  local end=$EPOCHREALTIME
  phase_names+=("$name")
  phase_seconds+=("$(((${end/./} - ${start/./}) / 100000))")
  if ((status)); then
    print_phases
    echo "== $name failed with exit code $status" >&2
    exit "$status"
  fi
}
print_phases() {
  echo "== time by phase"
  local i
  for i in "${!phase_names[@]}"; do
    printf '   %-28s %4d.%d s\n' "${phase_names[$i]}" "$((phase_seconds[i] / 10))" "$((phase_seconds[i] % 10))"
  done
}
build() {  # build <preset> <target...>
  local preset=$1
  shift
  cmake --preset "$preset" >"build-$preset.log" 2>&1 || { cat "build-$preset.log" >&2; rm -f "build-$preset.log"; return 1; }
  rm -f "build-$preset.log"
  cmake --build --preset "$preset" --target "$@"
}
