#!/usr/bin/env python3
"""Would scores of untrained networks help to predict trained ones, if they cost nothing and a predictor learned their weight?

    condenser study export RUN json | python3 proxies.py [val_loss]

A Gaussian process (squared exponential over the choices, linear in the logarithms of costs) is fitted to the normal scores of n random
networks of the study, without and with two further linear parts, each with a weight of its own that may fall to zero: the scores
(synflow, grad_norm, naswot, activation rank), and the reactions of nodes, their logarithms averaged over each stage. Printed: rank
correlation of the prediction with the rest of the networks, mean over 40 draws and its standard error against none. Needs numpy, scipy."""
import json
import sys

import numpy as np
from scipy.optimize import minimize
from scipy.stats import norm, rankdata, spearmanr

COSTS = ("params", "macs", "constant_bytes", "arena_bytes")
SCORES = ("synflow_log10", "grad_norm", "naswot", "activation_rank_percent")


def standard(columns):
    columns = np.array(columns, dtype=float)
    columns = columns[:, columns.std(0) > 1e-9]
    return (columns - columns.mean(0)) / columns.std(0)


def stage_of(node):
    return node.split("_")[0][:2] if node[0] == "s" and node[1:2].isdigit() else "rest"


def pooled_reactions(trials):
    rows = []
    for trial in trials:
        pools = {}
        for key, value in trial["node_scores"].items():
            node, measure = key.rsplit(":", 1)
            pools.setdefault((stage_of(node), measure), []).append(value if measure == "dead" else np.log(value + 1e-9))
        rows.append({pool: np.mean(values) for pool, values in pools.items()})
    common = sorted(set.intersection(*(set(row) for row in rows)))
    return [[row[pool] for pool in common] for row in rows]


class Process:
    """Hyper-parameters: logarithms of length, deviation, linear weight, noise variance, and a weight for each further part."""

    MEAN, VARIANCE = [0.35, 0.0, -0.7, -2.6], [1.0, 1.0, 1.0, 2.25]

    def __init__(self, distances, linear, parts):
        self.distances, self.linear, self.parts = distances, linear, parts
        self.mean = np.array(self.MEAN + [-1.5] * len(parts))
        self.variance = np.array(self.VARIANCE + [4.0] * len(parts))

    def kernel(self, t, rows, columns):
        at = np.ix_(rows, columns)
        k = 1 + np.exp(2 * t[1] - 0.5 * self.distances[at] / np.exp(2 * t[0])) + np.exp(2 * t[2]) * self.linear[at]
        for weight, part in zip(t[4:], self.parts):
            k = k + np.exp(2 * weight) * part[at]
        return k

    def fit(self, known, y):
        def cost(t):
            k = self.kernel(t, known, known) + (np.exp(t[3]) + 1e-6) * np.eye(len(known))
            sign, logdet = np.linalg.slogdet(k)
            if sign <= 0:
                return 1e6
            return 0.5 * y @ np.linalg.solve(k, y) + 0.5 * logdet + 0.5 * ((t - self.mean) ** 2 / self.variance).sum()

        return minimize(cost, self.mean, method="L-BFGS-B", options={"maxiter": 15}).x

    def predict(self, t, known, y, rows):
        k = self.kernel(t, known, known) + np.exp(t[3]) * np.eye(len(known))
        return self.kernel(t, rows, known) @ np.linalg.solve(k, y)


def main():
    metric = sys.argv[1] if len(sys.argv) > 1 else "val_accuracy_percent"
    trials = [t for t in json.load(sys.stdin)["trials"] if t["state"] == "done"]
    sign = -1 if metric == "val_loss" else 1
    y = np.array([sign * t["metrics"][metric] for t in trials])
    choices = np.array([[str(t["choices"][d]) == o for d in trials[0]["choices"] for o in sorted({str(u["choices"][d]) for u in trials})]
                        for t in trials], dtype=float)
    distances = ((choices[:, None] - choices[None]) ** 2).sum(2)
    product = lambda z: z @ z.T / z.shape[1]
    linear = product(standard([[np.log(t["metrics"][c]) for c in COSTS] for t in trials]))
    scores = product(standard([[t["metrics"][s] for s in SCORES] for t in trials]))
    reactions = product(standard(pooled_reactions(trials)))
    for name in SCORES + COSTS[:2]:
        print(f"{name}: rank correlation {spearmanr([t['metrics'][name] for t in trials], y)[0]:.2f}")
    cases = {"none": [], "scores": [scores], "reactions": [reactions], "both": [scores, reactions]}
    processes = {name: Process(distances / distances.mean(), linear, parts) for name, parts in cases.items()}
    rng = np.random.default_rng(0)
    for n in (8, 16, 32, 64):
        found = {name: [] for name in cases}
        for _ in range(40):
            known = rng.choice(len(y), n, replace=False)
            rest = np.setdiff1d(np.arange(len(y)), known)
            values = norm.ppf((rankdata(y[known]) - 0.5) / n)
            for name, process in processes.items():
                t = process.fit(known, values)
                found[name].append(spearmanr(process.predict(t, known, values, rest), y[rest])[0])
        error = {name: np.std(np.subtract(v, found["none"])) / len(v) ** 0.5 for name, v in found.items()}
        print(n, "networks:", ", ".join(f"{name} {np.mean(v):.3f} +- {error[name]:.3f}" for name, v in found.items()), flush=True)


main()
