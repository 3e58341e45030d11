"""One row for each network: what its C takes on a Cortex-M4, and how its integers differ from LiteRT's.

    collect.py MODELS NETS

Reads what `condenser verify` printed and the known answers of the exports, whose inputs run in LiteRT again: the model
of MLPerf Tiny itself, up to the softmax at its end, with the reference kernels and with the optimized ones.
"""
import json
import os
import pathlib
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType

KERNELS = {"reference": OpResolverType.BUILTIN_REF, "optimized": OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES}


def differences(model, answers, kernels):
    net = Interpreter(str(model), experimental_op_resolver_type=KERNELS[kernels], experimental_preserve_all_tensors=True)
    net.allocate_tensors()
    last = net._get_ops_details()[-1]
    result = (last["inputs"] if last["op_name"] == "SOFTMAX" else last["outputs"])[0]
    given = net.get_input_details()[0]
    found, largest = 0, 0
    for x, expected in zip(answers["input_int8"], answers["output_int8"]):
        net.set_tensor(given["index"], x.transpose(1, 2, 0).reshape(given["shape"]))
        net.invoke()
        off = np.abs(net.get_tensor(result).astype(int).reshape(-1) - expected.astype(int).reshape(-1))
        found, largest = found + int((off > 0).sum()), max(largest, int(off.max()))
    return found, largest


def printed(text):
    """The row of the machine, and how many values of the TensorFlow Lite export differ, node by node and whole."""
    machine, checks = None, {}
    for line in text.splitlines():
        words = line.split()
        if words[:1] == ["cortex-m4"]:
            machine = [int(w.replace(",", "")) for w in words[1:7]]
        if words[:1] == ["tflite"] and words[1] in ("nodes", "int8", "optimized"):
            checks[words[1]] = int(words[4].replace(",", ""))
    return machine, checks


models, nets = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
print("network,macs,arena_bytes,code_bytes,constant_bytes,stack_bytes,instructions,cycles_estimated,values,differ_reference,"
      "largest_reference,differ_optimized,largest_optimized,export_nodes_differ,export_differ_reference,export_differ_optimized")
for folder in sorted(p for p in nets.iterdir() if (p / "verify.txt").exists()):
    manifest = json.loads((folder / "export/c99/manifest.json").read_text())
    answers = np.load(folder / "export/tflite/known_answers.npz")
    model = models / f"{folder.name}.tflite"
    (instructions, cycles, code, constants, variables, stack), checks = printed((folder / "verify.txt").read_text())
    reference, optimized = (differences(model, answers, kernels) for kernels in KERNELS)
    row = [folder.name, manifest["macs"], variables, code, constants, stack, instructions, cycles, answers["output_int8"].size,
           *reference, *optimized, checks["nodes"], checks["int8"], checks["optimized"]]
    print(",".join(str(value) for value in row))
