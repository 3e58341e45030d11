#!/usr/bin/env python3
"""Writes docs/options.md, every option of a run file, from the program itself.

    python3 scripts/make_options_page.py build/release/condenser           # writes the page
    python3 scripts/make_options_page.py build/release/condenser --check   # exit code 1 when the page is stale
"""
import argparse
import json
import pathlib
import subprocess
import sys

PAGE = pathlib.Path(__file__).resolve().parent.parent / "docs/options.md"
HEAD = """# Every option of a run file

Written by `scripts/make_options_page.py` from `condenser run --help-config`; a test holds the two together. Any of them can stand on the command
line instead, with its whole name: `condenser run run.yaml train.epochs=30 'export.targets=[c99, onnx]'`. Unknown names are errors.
"""


def cell(text):
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")


def section_of(option):
    return option.split(".")[0] if "." in option else ""


def tables(options):
    """A heading and a table for the top level and for each section; sections inside of one are rows of its table."""
    sections = {row["option"]: row["help"] for row in options if row["type"] == "section" and "." not in row["option"]}
    grouped = {}
    for row in options:
        if row["option"] not in sections:
            grouped.setdefault(section_of(row["option"]), []).append(row)
    for name in [""] + list(sections):
        yield f"\n## {name}\n\n{sections[name]}\n" if name else "\n## The top level\n"
        if name not in grouped:
            continue
        yield "\n| option | default | value | meaning |\n| --- | --- | --- | --- |\n"
        for row in grouped[name]:
            if row["type"] == "section":
                yield f"| **`{row['option']}`** | | | **{cell(row['help'])}** |\n"
                continue
            value = row["type"] + (f": {row['expected']}" if row["expected"] else "")
            yield f"| `{row['option']}` | `{cell(row['default'])}` | {cell(value)} | {cell(row['help'])} |\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--check", action="store_true", help="write nothing")
    choice = parser.parse_args()
    answer = subprocess.run([choice.program, "run", "--help-config", "--format", "json"], check=True, capture_output=True, text=True)
    text = HEAD + "".join(tables(json.loads(answer.stdout)))
    if not choice.check:
        PAGE.write_text(text, encoding="utf-8")
    elif not PAGE.exists() or PAGE.read_text(encoding="utf-8") != text:
        sys.exit(f"{PAGE}: is not what the program says of its options; make it anew: python3 scripts/make_options_page.py {choice.program}")


main()
