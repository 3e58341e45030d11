#!/usr/bin/env python3
"""Reads the TensorBoard events of run folders with TensorBoard's own reader and compares every tag, step and value with metrics.csv:
.venv/bin/python scripts/check_tensorboard.py runs/digits_quickstart ...

Exit codes: 0 equal, 1 different, 77 the package tensorboard is not installed (scripts/setup.sh --dev installs it)."""
import csv
import math
import pathlib
import struct
import sys

try:
    from tensorboard.backend.event_processing.event_accumulator import SCALARS, EventAccumulator
except ImportError as missing:
    print(f"check_tensorboard.py: {missing}; run scripts/setup.sh --dev", file=sys.stderr)
    sys.exit(77)


def float32(text):
    """Events hold single precision; an empty cell stands for NaN."""
    return struct.unpack("<f", struct.pack("<f", float(text)))[0] if text else math.nan


def expected_scalars(folder):
    with open(folder / "metrics.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    tags = [name for name in rows[0] if name != "step"]
    return {tag: [(int(row["step"]), float32(row[tag])) for row in rows] for tag in tags}


def read_scalars(folder):
    reader = EventAccumulator(str(folder), size_guidance={SCALARS: 0})  # 0: all, not a sample
    reader.Reload()
    return {tag: [(event.step, event.value) for event in reader.Scalars(tag)] for tag in reader.Tags()[SCALARS]}


def same(a, b):
    return len(a) == len(b) and all(i == j and (x == y or math.isnan(x) and math.isnan(y)) for (i, x), (j, y) in zip(a, b))


def check(folder):
    expected, found = expected_scalars(folder), read_scalars(folder)
    faults = [f"tags {sorted(found)}; expected {sorted(expected)}"] if set(found) != set(expected) else []
    faults += [f"{tag}: {found[tag]}; expected {values}" for tag, values in expected.items() if tag in found and not same(found[tag], values)]
    for fault in faults:
        print(f"FAILED {folder}: {fault}")
    if not faults:
        files = len(list(folder.glob("events.out.tfevents.*")))
        print(f"ok     {folder}: {len(expected)} tags, {len(next(iter(expected.values())))} steps in {files} event file{'s' * (files > 1)}")
    return not faults


if len(sys.argv) < 2:
    sys.exit("check_tensorboard.py: which run folders?")
results = [check(pathlib.Path(argument)) for argument in sys.argv[1:]]
sys.exit(0 if all(results) else 1)
