#!/usr/bin/env python3
"""Processor time of one int8 inference of ResNet-8, one thread: an export of ours, compiled here, and ONNX Runtime, in
turns.

    compare.py EXPORT [--cc "gcc -O2 -march=native"] [--rounds 60] [--runs 50]

EXPORT is a folder of `condenser profile resnet8 --machine aarch64 -o EXPORT`, or any other export of ResNet-8. ONNX Runtime
runs the same layers, quantized with QuantizeLinear and DequantizeLinear, in uint8 activations and in int8: values are
random, shapes are what is timed. Needs numpy, onnx and onnxruntime; nothing of condenser needs them."""

import argparse
import ctypes
import json
import pathlib
import platform
import statistics
import subprocess
import tempfile
import time

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper


class Network:
    """ResNet-8 of MLPerf Tiny as quantize-dequantize pairs around float operators."""

    def __init__(self, activation):
        self.nodes, self.constants, self.count = [], [], 0
        limits = np.iinfo(activation)
        self.zero_point = self.constant(np.array((limits.min + limits.max + 1) // 2, activation))
        self.least = self.constant(np.array(limits.min, activation))  # zero behind a ReLU, which is then folded
        self.weight_zero = self.constant(np.array(0, np.int8))
        self.random = np.random.default_rng(1)

    def constant(self, value):
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(value, name))
        return name

    def node(self, operator, *inputs, **attributes):
        self.count += 1
        self.nodes.append(helper.make_node(operator, list(inputs), [f"t{self.count}"], **attributes))
        return f"t{self.count}"

    def quantized(self, x, relu=False):
        zero = self.least if relu else self.zero_point
        if relu:
            x = self.node("Relu", x)
        scale = self.constant(np.array(0.05, np.float32))
        return self.node("DequantizeLinear", self.node("QuantizeLinear", x, scale, zero), scale, zero)

    def weights(self, *shape):
        values = self.constant(self.random.integers(-127, 128, shape).astype(np.int8))
        scale = self.constant(np.array(0.01, np.float32))
        return self.node("DequantizeLinear", values, scale, self.weight_zero)

    def bias(self, count):
        values = self.constant(np.zeros(count, np.int32))
        return self.node("DequantizeLinear", values, self.constant(np.array(0.0005, np.float32)),
                         self.constant(np.array(0, np.int32)))

    def conv(self, x, c_in, c_out, kernel, stride, relu):
        pads = [0, 0, 0, 0] if kernel == 1 else [1, 1, 1, 1] if stride == 1 else [0, 0, 1, 1]
        y = self.node("Conv", x, self.weights(c_out, c_in, kernel, kernel), self.bias(c_out), pads=pads,
                      kernel_shape=[kernel, kernel], strides=[stride, stride])
        return self.quantized(y, relu)

    def add(self, a, b):
        return self.quantized(self.node("Add", a, b), True)

    def build(self):
        x = self.conv(self.quantized("input"), 3, 16, 3, 1, True)
        channels = 16
        for width, stride in ((16, 1), (32, 2), (64, 2)):
            y = self.conv(self.conv(x, channels, width, 3, stride, True), width, width, 3, 1, False)
            x = self.add(y, x if stride == 1 else self.conv(x, channels, width, 1, stride, False))
            channels = width
        x = self.quantized(self.node("GlobalAveragePool", x))
        x = self.quantized(self.node("Flatten", x))
        self.nodes.append(helper.make_node(
            "Gemm", [x, self.weights(10, 64), self.bias(10)], ["logits"], transB=1))
        graph = helper.make_graph(
            self.nodes, "resnet8", [helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 3, 32, 32])],
            [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, 10])], self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
        onnx.checker.check_model(model)
        return model.SerializeToString()


def onnx_runtime(activation):
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = ort.InferenceSession(Network(activation).build(), options, providers=["CPUExecutionProvider"])
    binding = session.io_binding()
    binding.bind_cpu_input("input", np.random.default_rng(2).normal(size=(1, 3, 32, 32)).astype(np.float32))
    binding.bind_output("logits")
    return lambda runs: [session.run_with_iobinding(binding) for _ in range(runs)]


def export(folder, compiler, to):
    """The network's run function, `runs` times in a row."""
    prefix = json.loads((folder / "manifest.json").read_text())["prefix"]
    loop = pathlib.Path(to, "loop.c")
    loop.write_text(f'#include "{prefix}.h"\nvoid loop(int runs) {{ while (runs-- > 0) {prefix}_run(); }}\n')
    library = pathlib.Path(to, "loop.so")
    subprocess.run([*compiler.split(), "-shared", "-fPIC", f"-I{folder}", str(loop),
                    *sorted(str(p) for p in folder.glob("*.c")), "-o", str(library)], check=True)
    return ctypes.CDLL(str(library)).loop


def processor():
    lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    return next((l.split(":", 1)[1].strip() for l in lines if l.startswith("model name")), platform.processor())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("export", type=pathlib.Path)
    parser.add_argument("--cc", action="append", help="compiler and options; several times: each is a row")
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--runs", type=int, default=50, help="inferences of one round")
    options = parser.parse_args()
    compilers = options.cc or ["gcc -O2", "gcc -O2 -mavx2", "gcc -O2 -march=native"]
    with tempfile.TemporaryDirectory() as folder:
        rows = {f"ONNX Runtime {ort.__version__}, uint8": onnx_runtime(np.uint8),
                f"ONNX Runtime {ort.__version__}, int8": onnx_runtime(np.int8)}
        for i, compiler in enumerate(compilers):
            place = pathlib.Path(folder, str(i))
            place.mkdir()
            rows[compiler] = export(options.export, compiler, place)
        times = {name: [] for name in rows}
        for turn in range(options.rounds + 1):  # the first warms the caches
            for name, run in rows.items():
                begin = time.process_time()
                run(options.runs)
                if turn > 0:
                    times[name].append((time.process_time() - begin) / options.runs * 1e6)
    reference = next(iter(times.values()))
    print(f"ResNet-8, batch 1, one thread, {processor()}; {options.rounds} rounds of {options.runs} in turns")
    print("| | median, µs | quartiles | fastest | ONNX Runtime uint8 over this, median of rounds |")
    print("| --- | ---: | --- | ---: | ---: |")
    for name, values in times.items():
        low, middle, high = statistics.quantiles(values, n=4)
        ratio = statistics.median(r / v for r, v in zip(reference, values))
        print(f"| {name} | {middle:.1f} | {low:.1f} to {high:.1f} | {min(values):.1f} | {ratio:.2f} |")


if __name__ == "__main__":
    main()
