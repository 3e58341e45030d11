#!/usr/bin/env python3
"""Checks every #include against the table in src/README.md: which module may include which, and where the heavy
libraries are. Prints the offending lines; exit code 1 when there are any. What the compiler and linker already refuse
is left to them."""

import pathlib
import re
import sys
import tempfile

# First part of an included path -> name in the table's last column.
LIBRARIES = {"torch": "LibTorch", "ATen": "LibTorch", "c10": "LibTorch", "yaml-cpp": "yaml-cpp", "spdlog": "spdlog",
             "fmt": "spdlog", "CLI": "CLI11", "Eigen": "Eigen", "soci": "SOCI", "sqlite3.h": "SOCI", "png.h": "libpng",
             "jpeglib.h": "libjpeg", "muparserx": "muparserx", "flatbuffers": "flatbuffers"}
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]')


def read_table(readme):
    """{module: (allowed modules and headers, {library: [files or folders where it may be seen; none: anywhere]})}"""
    table = {}
    for line in readme.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if len(cells) != 3 or not re.fullmatch(r"[a-z]+", cells[0]) or cells[0] == "module":
            continue
        allowed = {word.strip() for word in cells[1].split(",")} - {"–"}
        libraries = {}
        for name, place in re.findall(r"([\w-]+)(?: \(([^)]*)\))?(?:,|$)", cells[2]):
            libraries.setdefault(name, []).extend([place] if place else [])
        table[cells[0]] = (allowed, libraries)
    return table


def complaint(table, module, inside, public, path):
    """Why `path` may not be included by the file `inside` of a module, or None."""
    allowed, libraries = table[module]
    target = path.removeprefix("condenser/")
    other = target.split("/")[0]
    if "/" in target and other in table:
        if other == module or not allowed.isdisjoint({"all", other, target}):
            return None
        return f"{module} may include: {', '.join(sorted(allowed)) or 'nothing'}"
    library = LIBRARIES.get(path.split("/")[0])
    if library and library not in libraries:
        return f"{module} does not use {library}"
    if library and libraries[library] and (public or not any(inside.startswith(p) for p in libraries[library])):
        return f"{library} is for {module}/{', '.join(libraries[library])} only"
    if path.startswith("nlohmann/") and path != "nlohmann/json_fwd.hpp" and not inside.endswith(".cpp"):
        return "nlohmann/json is for .cpp files only"
    return None


def check(root):
    table = read_table(root / "src/README.md")
    if not table:
        return [f"{root}/src/README.md: no table of modules found"]
    found = []
    for base, public in ((root / "src", False), (root / "include/condenser", True)):
        for file in sorted(p for p in base.rglob("*") if p.suffix in (".hpp", ".cpp", ".h", ".c")):
            module, _, inside = file.relative_to(base).as_posix().partition("/")
            if module not in table:
                found.append(f"{file.relative_to(root)}: folder {module} is not in the table of src/README.md")
                continue
            for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
                match = INCLUDE.match(line)
                why = match and complaint(table, module, inside, public, match[1])
                if why:
                    found.append(f"{file.relative_to(root)}:{number}: includes {match[1]}; {why}")
    return found


def self_test():
    table = "| a | – | Lib |\n| --- | --- | --- |\n".replace("Lib", "yaml-cpp (x.cpp)") + \
            "| b | a, c/one.hpp | LibTorch |\n| c | a | – |\n| d | all | – |\n"
    good = {"src/a/x.cpp": "yaml-cpp/yaml.h a/own.hpp vector", "src/b/y.cpp": "condenser/a/h.hpp torch/torch.h",
            "include/condenser/b/y.hpp": "condenser/c/one.hpp", "src/d/z.cpp": "condenser/b/y.hpp nlohmann/json.hpp"}
    bad = {"src/a/y.cpp": "yaml-cpp/yaml.h", "src/c/y.cpp": "condenser/b/y.hpp", "src/c/z.cpp": "ATen/ATen.h",
           "src/b/z.cpp": "condenser/c/two.hpp", "include/condenser/a/x.cpp": "yaml-cpp/yaml.h",
           "src/d/z.hpp": "nlohmann/json.hpp", "src/a/private.cpp": "b/private.hpp", "src/e/x.cpp": "vector"}
    for files, expected in ((good, 0), (bad, len(bad))):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            for name, includes in {"src/README.md": "", "include/condenser/a/h.hpp": "", **files}.items():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_text("".join(f"#include <{path}>\n" for path in includes.split()))
            (root / "src/README.md").write_text(table, encoding="utf-8")
            found = check(root)
            if len(found) != expected:
                return [f"self-test: {len(found)} complaints; expected {expected}", *found]
    return []


if __name__ == "__main__":
    problems = self_test() if "--self-test" in sys.argv[1:] else check(pathlib.Path(__file__).resolve().parent.parent)
    print("\n".join(problems), end="\n" if problems else "")
    sys.exit(1 if problems else 0)
