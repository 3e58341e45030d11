#!/bin/bash
# Workers of one study as a Slurm array: each task is a worker, and the study ends when nothing is left to do.
#
#   STUDY='postgresql://me@server/condenser?study=digits' sbatch --array=0-15 slurm_array.sh [KEY=VALUE ...]
#
#   STUDY      the study that a search has begun (README.md); without a password: ~/.pgpass or PGPASSWORD has it
#   CONDENSER  the program; "condenser" in PATH when absent
#   PARALLEL   candidates at the same time in one task, each in its own process; 1 when absent
#   KEY=VALUE  where this cluster keeps the data, e.g. dataset.folder=/scratch/digits
#
# Adapt what a task may take. With a GPU: --gres=gpu:1.
#SBATCH --job-name=condenser
#SBATCH --array=0-7
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=4
#SBATCH --mem=4G
#SBATCH --time=04:00:00
#SBATCH --output=condenser-%A_%a.log
#SBATCH --open-mode=append
# A node that fails, or a preemption: the task starts again elsewhere.
#SBATCH --requeue
# Two minutes before the time limit this script, and only this script, gets SIGUSR1.
#SBATCH --signal=B:USR1@120
set -u

: "${STUDY:?is missing; expected postgresql://user@server/database?study=NAME}"

# The worker gives its trial back and ends with 75.
trap 'kill -USR1 "$worker" 2>/dev/null' USR1
# scancel, scontrol requeue and a preemption send SIGTERM to every process of the task: the worker has it already, and a
# second one would end it at once.
trap : TERM

"${CONDENSER:-condenser}" worker --study "$STUDY" --parallel "${PARALLEL:-1}" "$@" &
worker=$!
wait "$worker"
code=$?
# A trap ends `wait` before the worker has ended.
while kill -0 "$worker" 2>/dev/null; do
  wait "$worker"
  code=$?
done

# 75: please run again. 143 needs nothing: Slurm itself starts a requeued task again, and a cancelled one is meant to end.
if [[ $code == 75 ]]; then
  echo "condenser: the time of this task is over; it starts again and goes on with the study"
  # Not SLURM_JOB_ID: the number of the last task is that of the whole array.
  scontrol requeue "${SLURM_ARRAY_JOB_ID:+${SLURM_ARRAY_JOB_ID}_}${SLURM_ARRAY_TASK_ID:-$SLURM_JOB_ID}"
fi
exit "$code"
