#!/usr/bin/env python3
"""Reads a study (`condenser study export RUN json`) and writes a row for each network: its choices, the reward after each
epoch (100 exp(-val_loss)) and its accuracy at the end."""
import csv
import json
import math
import sys

trials = [t for t in json.load(sys.stdin)["trials"] if t["state"] == "done"]
decisions = [d for d in trials[0]["choices"] if len({t["choices"][d] for t in trials}) > 1]
epochs = len(trials[0]["curves"]["val_loss"])
writer = csv.writer(sys.stdout, lineterminator="\n")
writer.writerow(decisions + [f"e{i + 1}" for i in range(epochs)] + ["accuracy"])
for t in sorted(trials, key=lambda t: [str(t["choices"][d]) for d in decisions]):
    rewards = [f"{100 * math.exp(-loss):.3f}" for loss in t["curves"]["val_loss"]]
    writer.writerow([t["choices"][d] for d in decisions] + rewards + [t["metrics"]["val_accuracy_percent"]])
