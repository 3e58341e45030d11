#!/usr/bin/env python3
"""Holds README.md and docs/ against the program.

    python3 scripts/check_docs.py build/release/condenser            # commands that can be read, links, the page of options: seconds
    python3 scripts/check_docs.py build/release/condenser --run      # and runs the shell blocks of docs/, with small budgets: minutes
    python3 scripts/check_docs.py build/release/condenser --run --whole docs/questions.md    # with the budgets of the page

A block ```sh in docs/ is run with bash, from a folder where the repository's own files are, pages and blocks in order. A comment on
the line before a block changes that, one behind it says more. Headings of troubleshooting.md that are code have to be texts of the sources.

    <!-- not run: why -->          its commands have to be readable all the same
    <!-- needs: a b -->            programs; passed over, and said, where one is absent
    <!-- exit code: 0 or 6 -->     of the last command, instead of 0
    <!-- makes: a/file b/file -->  behind a block: what has to be there afterwards
"""
import argparse
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGES = ["index", "images_to_microcontroller", "keywords", "generative_synthesis", "results", "troubleshooting", "questions"]
SMALL = ["search.trials=3", "probe.epochs=1", "train.epochs=2", "verify.samples=20"]  # budgets that a page's own options override
CUT = {"Makefile", "runs", "build"}  # of the repository, that a reader's folder does not have yet
SECONDS = 600


class Block:
    """Shell commands of a page."""

    def __init__(self, page, line, text, before):
        self.where, self.text, self.makes = f"{page}:{line}", text, []
        self.skipped = "not run:" in before
        needs = re.search(r"needs: (.*) -->", before)
        self.needs = needs.group(1).split() if needs else []
        codes = re.search(r"exit code: ([\d or]+)", before)
        self.codes = [int(code) for code in codes.group(1).split(" or ")] if codes else [0]


def blocks_of(page):
    """The fenced blocks ```sh; of README.md also the indented lines that begin with condenser."""
    found, lines, before = [], page.read_text(encoding="utf-8").splitlines(), ""
    name, inside = page.relative_to(ROOT), None
    for number, line in enumerate(lines, 1):
        if inside is not None:
            if line.strip() == "```":
                if inside[0] == "sh":
                    found.append(Block(name, inside[1], "\n".join(inside[2]), before))
                inside, before = None, ""
            else:
                inside[2].append(line)
        elif line.startswith("```"):
            inside = (line[3:].strip(), number, [])
        elif line.startswith("    condenser ") and name.name == "README.md":
            found.append(Block(name, number, line.strip(), "not run: part of the README"))
        elif made := re.match(r"<!-- makes: (.*) -->", line):
            found[-1].makes = made.group(1).split()
        elif line.strip():
            before = line if line.startswith("<!--") else ""
    return found


def commands_of(text):
    """The words of each call of the program in a shell text."""
    for line in text.replace("\\\n", " ").splitlines():
        try:
            words = shlex.split(line, comments=True)
        except ValueError:
            continue  # a quotation over several lines: bash reads it
        for at, word in enumerate(words):
            if word == "condenser" and (at == 0 or words[at - 1] in ("&&", "||", "|", ";", "!") or "=" in words[at - 1]):
                rest = words[at + 1 :]
                ends = [i for i, w in enumerate(rest) if w in ("&&", "||", "|", ";", ">", "2>", "&")]
                yield rest[: ends[0]] if ends else rest


class Program:
    """What the program says of its own verbs and options."""

    def __init__(self, path):
        self.path, self.helps = path, {}
        answer = subprocess.run([path, "run", "--help-config", "--format", "json"], check=True, capture_output=True, text=True)
        self.options = {row["option"] for row in json.loads(answer.stdout)}

    def help(self, words):
        key = " ".join(words)
        if key not in self.helps:
            answer = subprocess.run([self.path, *words, "--help"], capture_output=True, text=True)
            self.helps[key] = answer.stdout if answer.returncode == 0 else None
        return self.helps[key]

    def trouble(self, words):
        """What is wrong with a call; empty: nothing."""
        if not words or words[0] in ("help", "--version", "--help"):
            return "" if len(words) < 2 or self.help(words[1:2]) else f"no verb {words[1]}"
        about = self.help(words[:1])
        if about is None:
            return f"no verb {words[0]}"
        for word in words[1:]:
            name = word.split("=")[0]
            if re.match(r"--?[a-z]", word) and not re.search(rf"(^|[\s,]){re.escape(name)}\b", about + " --quiet -q --verbose -v"):
                if not re.search(rf"(^|[\s,]){re.escape(name)}\b", self.help(words[:2]) or ""):
                    return f"{words[0]} has no option {name}"
            if re.match(r"[a-z_0-9]+(\.[a-z_0-9]+)+=", word) and name not in self.options:
                return f"no option {name} in a run file"
        return ""


def unreadable(program, pages):
    for page in pages:
        for block in blocks_of(page):
            for words in commands_of(block.text):
                if trouble := program.trouble(words):
                    yield f"{block.where}: condenser {' '.join(words)}: {trouble}"


def broken_links(pages):
    for page in pages:
        for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
            place = target.split("#")[0]
            if place and "://" not in place and not (page.parent / place).exists():
                yield f"{page.relative_to(ROOT)}: link to {target}: no such file"


def unknown_messages(page):
    """Headings that quote the program, "..." for what differs, and are no text of the sources."""
    sources = [path.read_text(encoding="utf-8") for folder in ("src", "include") for path in sorted((ROOT / folder).rglob("*.[ch]pp"))]
    texts = re.sub(r'"\s*\n\s*(\+ )?"', "", "\n".join(sources))  # literals over several lines
    for line in page.read_text(encoding="utf-8").splitlines():
        if quoted := re.fullmatch(r"### `([^`]*)`", line):
            for part in quoted.group(1).split("..."):
                if len(part.strip()) > 2 and part.strip() not in texts:
                    yield f"{page.relative_to(ROOT)}: {line}: the program does not say {part.strip()!r}"


def reader_folder(place, program, small):
    """A checkout as its reader has it, with the program on the path. Returns the environment of the commands."""
    for entry in ROOT.iterdir():
        if entry.name not in CUT and not entry.name.startswith("."):
            (place / entry.name).symlink_to(entry)
    (place / ".bin").mkdir()
    budgets = " ".join(SMALL) if small else ""
    # Budgets go behind the run file, so that what a page says itself comes later and counts.
    (place / ".bin/condenser").write_text(f"""#!/bin/bash
case "$1 $2" in
  "run "*.yaml | "run runs/"* | "search "*.yaml | "train "*.yaml | "train runs/"*)
    verb=$1 subject=$2; shift 2
    exec {shlex.quote(str(program))} "$verb" "$subject" {budgets} "$@" ;;
esac
exec {shlex.quote(str(program))} "$@"
""")
    (place / ".bin/condenser").chmod(0o755)
    return dict(os.environ, PATH=f"{place}/.bin:{os.environ['PATH']}", HOME=str(place), XDG_CACHE_HOME=str(place / ".cache"))


def run_blocks(pages, program, small):
    """Runs what is to be run; yields what went wrong, and stops there: later blocks need what earlier ones make."""
    with tempfile.TemporaryDirectory(prefix="condenser_docs_") as folder:
        place = pathlib.Path(folder)
        environment = reader_folder(place, program, small)
        for block in [b for page in pages for b in blocks_of(page) if not b.skipped]:
            if absent := [name for name in block.needs if not shutil.which(name)]:
                print(f"-- {block.where} is passed over: no {', '.join(absent)} here", flush=True)
                continue
            print(f"-- {block.where}\n{block.text}", flush=True)
            done = subprocess.run(["bash", "-euo", "pipefail", "-c", block.text], cwd=place, env=environment, timeout=SECONDS,
                                  stdin=subprocess.DEVNULL, capture_output=True, text=True)
            if done.returncode not in block.codes:
                print(done.stdout[-3000:] + done.stderr[-3000:])
                yield f"{block.where}: ended with {done.returncode}; expected {block.codes}"
                return
            if absent := [name for name in block.makes if not (place / name).exists()]:
                yield f"{block.where}: did not make {', '.join(absent)}"
                return


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("pages", nargs="*", type=pathlib.Path, help="instead of all of them")
    parser.add_argument("--run", action="store_true", help="run the blocks")
    parser.add_argument("--whole", action="store_true", help="with the budgets that the pages say")
    choice = parser.parse_intermixed_args()
    program = choice.program.resolve()
    pages = [page.resolve() for page in choice.pages] or [ROOT / f"docs/{name}.md" for name in PAGES]
    read = pages if choice.pages else pages + [ROOT / "README.md"]
    wrong = list(unreadable(Program(program), read)) + list(broken_links(read))
    for page in read:
        wrong += unknown_messages(page)
    made = subprocess.run([sys.executable, ROOT / "scripts/make_options_page.py", program, "--check"], capture_output=True, text=True)
    wrong += made.stderr.splitlines() if made.returncode else []
    if choice.run and not wrong:
        wrong += run_blocks(pages, program, not choice.whole)
    for line in wrong:
        print(line)
    sys.exit(1 if wrong else 0)


main()
