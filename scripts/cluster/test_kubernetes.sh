#!/usr/bin/env bash
# kubernetes_job.yaml against the schema of Kubernetes, and what the schema does not say: the rules that make a stopped
# worker no failure. Offline. Package: kubernetes-validate (scripts/setup.sh --cluster).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
python=.venv-cluster/bin/python
[[ -x $python ]] || { echo "test_kubernetes.sh: $python is missing; scripts/setup.sh --cluster installs it" >&2; exit 2; }
"${python%python}kubernetes-validate" -k 1.31 --strict scripts/cluster/kubernetes_job.yaml
"$python" - <<'END'
import yaml

job = yaml.safe_load(open("scripts/cluster/kubernetes_job.yaml"))["spec"]
pod = job["template"]["spec"]
worker, = pod["containers"]
assert pod["restartPolicy"] == "Never", "podFailurePolicy needs a pod for each try"
assert "completions" not in job, "a work queue: the first worker that finds nothing left completes the Job"
exits = [rule for rule in job["podFailurePolicy"]["rules"] if "onExitCodes" in rule]
for rule in exits:
    assert rule["onExitCodes"]["containerName"] == worker["name"], "a rule of another container"
actions = {code: rule["action"] for rule in exits for code in rule["onExitCodes"]["values"]}
# Of include/condenser/core/error.hpp: Requeue, HungUp, Interrupted, Terminated; Usage.
assert actions == {75: "Ignore", 129: "Ignore", 130: "Ignore", 143: "Ignore", 2: "FailJob"}, actions
mounts = {mount["name"] for mount in worker["volumeMounts"]}
assert mounts == {volume["name"] for volume in pod["volumes"]}, "volumes and mounts differ"
assert not any("password" in argument for argument in worker["args"]), "a password in a command line"
print("test_kubernetes.sh: passed")
END
