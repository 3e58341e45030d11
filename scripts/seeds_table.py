#!/usr/bin/env python3
"""Networks side by side, each trained with several seeds: a Markdown table of sizes and of accuracies on the test part.

    scripts/seeds_table.py found=neu_inspection_found "ResNet-8=neu_inspection_resnet8"

Each word is a label and the name of runs in runs/ without the seed behind it (neu_inspection_found_1, _2, _3). Figures are those of
`condenser compare`: the program is $CONDENSER, else build/release/condenser.
"""
import glob
import json
import os
import re
import statistics
import subprocess
import sys


def runs_of(prefix: str) -> list[str]:
    seeds = [(int(m[1]), path) for path in glob.glob(f"runs/{prefix}_*") if (m := re.fullmatch(rf"runs/{prefix}_(\d+)", path))]
    if not seeds:
        sys.exit(f"seeds_table.py: no run runs/{prefix}_<seed>")
    return [path for _, path in sorted(seeds)]


def compare(runs: list[str]) -> list[dict]:
    program = os.environ.get("CONDENSER", "build/release/condenser")
    answer = subprocess.run([program, "compare", *runs, "--seconds", "0", "--format", "json"], stdout=subprocess.PIPE, check=True)
    return json.loads(answer.stdout)["rows"]


def accuracy(rows: list[dict], key: str) -> str:
    values = [row[key] for row in rows if row[key] is not None]
    if not values:
        return ""
    return f"{statistics.mean(values):.2f} ({', '.join(f'{v:.2f}' for v in values)})"


print("| network | parameters | MACs | constants, bytes | arena, bytes | float, % (by seed) | int8, % |")
print("| --- | ---: | ---: | ---: | ---: | --- | --- |")
for word in sys.argv[1:]:
    label, _, prefix = word.partition("=")
    rows = compare(runs_of(prefix))
    sizes = " | ".join(f"{rows[0][key]:,}" for key in ("params", "macs", "constant_bytes", "arena_bytes"))
    print(f"| {label} | {sizes} | {accuracy(rows, 'accuracy_percent')} | {accuracy(rows, 'int8_accuracy_percent')} |")
