#!/usr/bin/env bash
# slurm_array.sh against a real slurmctld and slurmd, and a PostgreSQL, all private and in a temporary folder: one task is
# requeued and one is told that its time is over while they examine, and the study must hold the trials of a search
# that ran alone. About two minutes. Needs root for nothing but PostgreSQL's and munge's own demands on owners.
#
#   scripts/cluster/test_slurm.sh [condenser]     the program; build/ci/condenser when absent
#
# Packages: slurmctld slurmd slurm-client munge postgresql (scripts/setup.sh --cluster).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
export CONDENSER
CONDENSER=$(realpath "${1:-build/ci/condenser}")
array=$PWD/scripts/cluster/slurm_array.sh
export PATH=$PATH:/usr/sbin:/sbin
for program in slurmctld slurmd sbatch scontrol munged psql "$CONDENSER"; do
  command -v "$program" >/dev/null || { echo "test_slurm.sh: $program is missing; scripts/setup.sh --cluster installs it" >&2; exit 2; }
done
postgres_programs=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -1)

work=$(mktemp -d /tmp/condenser-slurm.XXXXXX)
pids=()
end() {
  local code=$?
  [[ $code == 0 ]] || tail -n 25 "$work"/*.log "$work"/condenser-*.log >&2 2>/dev/null || true
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  wait 2>/dev/null || true
  rm -rf "$work"
}
trap end EXIT
say() { printf '%s %s\n' "$(date +%T)" "$*"; }
until_true() {  # seconds, what it waits for, command
  local seconds=$1 what=$2; shift 2
  for ((i = 0; i < 10 * seconds; ++i)); do "$@" >/dev/null 2>&1 && return; sleep 0.1; done
  echo "test_slurm.sh: gave up waiting: $what" >&2; exit 1
}

# PostgreSQL refuses to run as root.
as_server=()
mkdir "$work/pg"
if [[ $(id -u) == 0 ]]; then
  as_server=(setpriv --reuid=postgres --regid=postgres --clear-groups)
  chmod 755 "$work"; chown postgres: "$work/pg"
fi
"${as_server[@]}" "$postgres_programs/initdb" -D "$work/pg/data" -U condenser -A trust -E UTF8 --locale=C --no-sync >"$work/initdb.log"
"${as_server[@]}" "$postgres_programs/postgres" -D "$work/pg/data" -k "$work/pg" -c listen_addresses= -c fsync=off >"$work/postgres.log" 2>&1 &
pids+=($!)
sql() { psql -h "$work/pg" -U condenser -d postgres -At -F '|' -c "$1"; }
until_true 30 "PostgreSQL" sql "SELECT 1"
export STUDY="postgresql:///postgres?host=$work/pg&user=condenser&study=slurm"
say "PostgreSQL $(sql 'SHOW server_version') runs"

# Authentication as on a cluster, with a key and a socket of its own.
install -d -m 700 "$work/munge"
dd if=/dev/urandom of="$work/munge/key" bs=128 count=1 status=none
chmod 600 "$work/munge/key"
munged --foreground --force --num-threads=2 --key-file="$work/munge/key" --socket="$work/munge.socket" \
  --pid-file="$work/munge/pid" --log-file="$work/munge.log" --seed-file="$work/munge/seed" >"$work/munged.log" 2>&1 &
pids+=($!)
until_true 20 "munged" test -S "$work/munge.socket"

free_ports() { python3 -c 'import socket
s = [socket.socket() for _ in range(2)]
for x in s: x.bind(("", 0))
print(*(x.getsockname()[1] for x in s))'; }
read -r controller_port node_port <<<"$(free_ports)"
mkdir "$work/state" "$work/spool"
# A requeued task may start again when its credential has expired: five seconds instead of two minutes.
cat >"$work/slurm.conf" <<END
ClusterName=test
SlurmctldHost=$(hostname -s)(127.0.0.1)
SlurmctldPort=$controller_port
SlurmdPort=$node_port
SlurmUser=$(id -un)
SlurmdUser=$(id -un)
AuthType=auth/munge
AuthInfo=socket=$work/munge.socket,cred_expire=5
CredType=cred/munge
StateSaveLocation=$work/state
SlurmdSpoolDir=$work/spool
SlurmctldPidFile=$work/slurmctld.pid
SlurmdPidFile=$work/slurmd.pid
ProctrackType=proctrack/pgid
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmdParameters=config_overrides
ReturnToService=2
MpiDefault=none
KillWait=20
NodeName=$(hostname -s) NodeAddr=127.0.0.1 CPUs=16 RealMemory=64000 State=UNKNOWN
PartitionName=work Nodes=ALL Default=YES MaxTime=INFINITE State=UP
END
export SLURM_CONF=$work/slurm.conf
slurmctld -D >"$work/slurmctld.log" 2>&1 &
pids+=($!)
slurmd -D >"$work/slurmd.log" 2>&1 &
pids+=($!)
idle() { [[ $(sinfo -h -o %T) == idle ]]; }
until_true 60 "a node of Slurm" idle
say "$(slurmctld -V) runs, node $(sinfo -h -o '%N %T')"

# A small study on the digits.
run_file() {  # name, study
  cat >"$work/$1.yaml" <<END
condenser: 1
name: $1
seed: 4
stages: [search]
dataset: {card: $PWD/datasets/digits, samples: 700}
space: $PWD/search/spaces/columns_digits.yaml
gate: {from: $PWD/search/budgets/mcu_32k.yaml}
search: {generator: evolution, trials: 14, window: 3$2}
probe: {from: $PWD/configs/train/probe.yaml, samples: 500, epochs: 2}
END
}
run_file alone ""
run_file slurm ", study: \"$STUDY\""
columns="trial, state, rung, fidelity, genotype, hash, same_as, details"
say "the same search alone"
(cd "$work" && "$CONDENSER" search alone.yaml >alone.out 2>"alone.log")
say "it begins on Slurm's side and is stopped after the first trials"
(cd "$work" && CONDENSER_TEST_STOP_AT=TERM@search:finish:1 "$CONDENSER" search slurm.yaml >slurm.out 2>slurm.log) && exit 1 || [[ $? == 143 ]]

cd "$work"
job=$(sbatch --parsable --array=0-2 --cpus-per-task=1 --mem=1G --time=10 --output="$work/condenser-%A_%a.log" "$array")
say "array $job is submitted"
state() { scontrol show job "$1" | sed -n 's/.*JobState=\([A-Z]*\).*/\1/p' | head -1; }
works() { [[ $(sql "SELECT COUNT(DISTINCT worker) FROM condenser_slurm.trials WHERE state = 'running'") -ge 3 ]]; }
until_true 90 "three tasks at work" works
say "three tasks examine: task 1 is requeued, task 2 is told that its time is over"
scontrol requeue "${job}_1"
scancel --batch --signal=USR1 "${job}_2"
gave_back() { grep -q "starts again" "$work/condenser-${job}_2.log"; }
until_true 60 "task 2 to give its trial back" gave_back
done_trials() { sql "SELECT COUNT(*) FROM condenser_slurm.trials WHERE state NOT IN ('proposed', 'running')"; }
say "given back; $(done_trials) trials are finished"
restarts() { scontrol show job "$1" | sed -n 's/.*Restarts=\([0-9]*\).*/\1/p' | head -1; }
nothing_left() { [[ -z $(squeue -h) ]]; }
until_true 240 "the end of the array" nothing_left
for task in 0 1 2; do
  say "task $task: $(state "${job}_$task"), started again $(restarts "${job}_$task") times, exit code $(scontrol show job "${job}_$task" | sed -n 's/.*ExitCode=\([0-9:]*\).*/\1/p' | head -1)"
done
for task in 0 1 2; do [[ $(state "${job}_$task") == COMPLETED ]]; done
[[ $(restarts "${job}_1") -ge 1 && $(restarts "${job}_2") -ge 1 && $(restarts "${job}_0") == 0 ]]

sql "SELECT $columns FROM condenser_slurm.trials ORDER BY trial" >"$work/slurm.trials"
python3 - "$work/runs/alone/study.sqlite" "$columns" >"$work/alone.trials" <<'END'
import sqlite3, sys
for row in sqlite3.connect(sys.argv[1]).execute(f"SELECT {sys.argv[2]} FROM trials ORDER BY trial"):
    print(*row, sep="|")
END
diff "$work/alone.trials" "$work/slurm.trials"
taken_twice=$(sql "SELECT COUNT(*) FROM condenser_slurm.trials WHERE tries > 1")
workers=$(sql "SELECT COUNT(DISTINCT worker) FROM condenser_slurm.trials WHERE worker <> ''")
say "the $(sql "SELECT COUNT(*) FROM condenser_slurm.trials") trials of $workers workers are those of the search alone; $taken_twice were taken up again after they had been given back"
lost=$(sql "SELECT COUNT(*) FROM condenser_slurm.events WHERE kind = 'lost'")
[[ $lost == 0 ]] || { echo "test_slurm.sh: $lost trials were lost instead of given back" >&2; exit 1; }
say "test_slurm.sh: passed"
