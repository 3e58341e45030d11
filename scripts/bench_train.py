#!/usr/bin/env python3
"""Training speed of condenser against eager PyTorch: the same networks, weights, batch and optimizer, in turns.

    .venv/bin/python scripts/bench_train.py --networks resnet8,experiments/train_speed/dcac_32.yaml [--format json]

For each network condenser writes its Spec and one training step; the network is built from that Spec with torch.nn and
must have the same number of parameters, the same outputs and the same weights after the step. Then both train on noise
(forward, cross-entropy, backward, SGD with Nesterov momentum) in processes of their own that take turns of a fraction of
a second, so that a busy moment hits both. PyTorch gets the faster of two layouts and of two optimizer implementations.
Needs the PyTorch of scripts/setup.sh and a built condenser (--condenser, default build/release or build/ci).
"""
import argparse
import json
import os
import platform
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TOLERANCE = 1e-4  # of outputs, relative to the largest


# --- the network of a Spec with torch.nn (imported by workers only) ----------------------------------------------------

def read_safetensors(path):
    """Tensors by name: 8 bytes of header length, a JSON header, raw little-endian values."""
    import torch
    dtypes = {"F32": torch.float32, "I64": torch.int64}
    data = Path(path).read_bytes()
    size, = struct.unpack("<Q", data[:8])
    tensors = {}
    for name, info in json.loads(data[8:8 + size]).items():
        if name == "__metadata__":
            continue
        begin, end = info["data_offsets"]
        raw = bytearray(data[8 + size + begin:8 + size + end])
        tensors[name] = torch.frombuffer(raw, dtype=dtypes[info["dtype"]]).reshape(info["shape"])
    return tensors


def build(spec):
    """A module whose parameters are named "<node>.<param>"; include/condenser/arch/ops.hpp says what operators mean."""
    import torch
    import torch.nn.functional as F
    from torch import nn

    def pad_for_library(node, half):
        """(padding the library takes, padding to apply before, in F.pad's order)."""
        top, bottom, left, right = node["pad"]
        fits = top == bottom and left == right
        if half:
            fits = fits and 2 * top <= node["kernel"][0] and 2 * left <= node["kernel"][1]
        return ((top, left), None) if fits else ((0, 0), (left, right, top, bottom))

    class Convolution(nn.Conv2d):
        def __init__(self, node, shape):
            padding, self.before = pad_for_library(node, half=False)
            super().__init__(shape[0], node["out"], node["kernel"], node["stride"], padding, groups=node["groups"], bias=node["bias"])

        def forward(self, x):
            return super().forward(x if self.before is None else F.pad(x, self.before))

    class AveragePool(nn.Module):
        def __init__(self, node, shape):
            super().__init__()
            self.kernel, self.stride, self.count = node["kernel"], node["stride"], node["count_include_pad"]
            self.padding, self.before = pad_for_library(node, half=True)
            if self.before is not None and not self.count:  # share of each window that lies inside
                inside = F.avg_pool2d(F.pad(torch.ones(1, 1, *shape[1:]), self.before), self.kernel, self.stride)
                self.register_buffer("inside", inside, persistent=False)

        def forward(self, x):
            if self.before is None:
                return F.avg_pool2d(x, self.kernel, self.stride, self.padding, False, self.count)
            y = F.avg_pool2d(F.pad(x, self.before), self.kernel, self.stride)
            return y if self.count else y / self.inside

    class MaxPool(nn.Module):
        def __init__(self, node):
            super().__init__()
            self.kernel, self.stride = node["kernel"], node["stride"]
            self.padding, self.before = pad_for_library(node, half=True)

        def forward(self, x):
            if self.before is not None:
                x = F.pad(x, self.before, value=float("-inf"))
            return F.max_pool2d(x, self.kernel, self.stride, self.padding)

    class BlurPool(nn.Module):
        def __init__(self, node, shape):
            super().__init__()
            row = torch.tensor([1.0, 2, 1] if node["taps"] == 3 else [1.0, 4, 6, 4, 1])
            filters = (row[:, None] * row[None, :] / row.sum() ** 2).expand(shape[0], 1, -1, -1).contiguous()
            self.register_buffer("filters", filters, persistent=False)
            self.stride, self.half = node["stride"], node["taps"] // 2

        def forward(self, x):
            return F.conv2d(F.pad(x, (self.half,) * 4, mode="reflect"), self.filters, stride=self.stride, groups=x.shape[1])

    class Softmax(nn.Module):
        def __init__(self, node):
            super().__init__()
            self.channels, self.rescale = node["axis"] == "channels", node["rescale"]

        def forward(self, x, value=None):
            y = torch.softmax(x, 1) if self.channels else torch.softmax(x.flatten(2), 2).view_as(x)
            if self.rescale:
                y = y * (x.shape[1] if self.channels else x.shape[2] * x.shape[3])
            return y if value is None else y * value

    class Upsample(nn.Module):
        """y[i] = x[i * in // out]; the library finds its pixels with a float scale that is off by one at some sizes."""
        def __init__(self, node, shape):
            super().__init__()
            self.size = tuple(node["size"])
            self.rows, self.columns = ([i * n // m for i in range(m)] for n, m in zip(shape[1:], self.size))
            grid = torch.arange(shape[1] * shape[2], dtype=torch.float32).view(1, 1, *shape[1:])
            self.library = bool((F.interpolate(grid, self.size) == grid[:, :, self.rows][:, :, :, self.columns]).all())

        def forward(self, x):
            return F.interpolate(x, self.size) if self.library else x[:, :, self.rows][:, :, :, self.columns]

    class Scale(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.ones(1))

        def forward(self, x):
            return self.weight * x

    class Linear(nn.Linear):
        def forward(self, x):
            return super().forward(x.flatten(1))[:, :, None, None]

    class Call(nn.Module):
        def __init__(self, function):
            super().__init__()
            self.function = function

        def forward(self, *x):
            return self.function(*x)

    def activation(node, in_place):
        kinds = {"relu": nn.ReLU, "relu6": nn.ReLU6, "silu": nn.SiLU, "sigmoid": nn.Sigmoid, "hard_swish": nn.Hardswish,
                 "hard_sigmoid": nn.Hardsigmoid, "tanh": nn.Tanh}
        kind = kinds[node["kind"]]
        return kind(inplace=True) if in_place and kind in (nn.ReLU, nn.ReLU6) else kind()

    def module(node, shape, in_place):
        op = node["op"]
        if node.get("clamp", "none") != "none":
            raise SystemExit(f"node {node['name']}: clamps belong to lowered networks; expected a network to train")
        if op == "conv2d":
            return Convolution(node, shape)
        if op == "batch_norm":
            return nn.BatchNorm2d(shape[0], node["eps"], node["momentum"])
        if op == "activation":
            return activation(node, in_place)
        if op in ("softmax", "softmax_mul"):
            return Softmax(node)
        if op == "avg_pool":
            return AveragePool(node, shape)
        if op == "max_pool":
            return MaxPool(node)
        if op == "global_avg_pool":
            return nn.AdaptiveAvgPool2d(1)
        if op == "linear":
            return Linear(shape[0], node["out"], node["bias"])
        if op == "prelu":
            return nn.PReLU(shape[0])
        if op == "scale":
            return Scale()
        if op == "blur_pool":
            return BlurPool(node, shape)
        if op == "upsample":
            return Upsample(node, shape)
        if op == "channel_shuffle":
            return nn.ChannelShuffle(node["groups"])
        if op == "add":
            return Call(torch.add)
        if op == "mul":
            return Call(torch.mul)
        if op == "concat":
            return Call(lambda *x: torch.cat(x, 1))
        if op == "slice":
            return Call(lambda x: x[:, node["begin"]:node["begin"] + node["count"]])
        raise SystemExit(f"node {node['name']}: operator {op} is unknown here; add it to {Path(__file__).name}")

    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            nodes = [n for n in spec["nodes"] if n["op"] != "input"]
            names = [n["name"] for n in spec["nodes"] if n["op"] == "input"] or ["input"]
            readers = [i for n in nodes for i in n["inputs"]]
            ops = {n["name"]: n["op"] for n in nodes}
            values = {names[0]: torch.zeros(2, *spec["input"])}  # shapes by running it
            self.steps = []
            for node in nodes:
                first = node["inputs"][0]
                # What a batch norm returns is not needed by its backward: overwritten as in torchvision's networks.
                in_place = ops.get(first) == "batch_norm" and readers.count(first) == 1
                made = module(node, tuple(values[first].shape[1:]), in_place)
                self.add_module(node["name"], made)
                with torch.no_grad():
                    made.eval()
                    values[node["name"]] = made(*(values[i].clone() for i in node["inputs"]))
                self.steps.append((made, [names.index(i) for i in node["inputs"]]))
                names.append(node["name"])
            self.train()

        def forward(self, x):
            values = [x]
            for step, inputs in self.steps:
                values.append(step(*[values[i] for i in inputs]))
            return values[-1].flatten(1)

    return Network()


def load(folder):
    """The network with condenser's weights, and the facts of the step."""
    import torch
    spec = json.loads((folder / "spec.json").read_text())
    facts = json.loads((folder / "step.json").read_text())
    net = build(spec)
    given = read_safetensors(folder / "before.safetensors")
    with torch.no_grad():
        state = {n: t for n, t in net.state_dict().items() if not n.endswith("num_batches_tracked")}
        if set(state) != set(given):
            raise SystemExit(f"{spec['name']}: other parameters than condenser: {sorted(set(state) ^ set(given))[:5]}")
        for name, tensor in state.items():
            tensor.copy_(given[name])
    return net, facts


class Trainer:
    def __init__(self, folder, layout, optimizer, batch):
        import torch
        self.net, facts = load(folder)
        formats = {"channels-last": torch.channels_last, "planes": torch.contiguous_format}
        self.net = self.net.to(memory_format=formats[layout])
        shape = json.loads((folder / "spec.json").read_text())["input"]
        torch.manual_seed(1)
        self.x = torch.randn(batch, *shape).contiguous(memory_format=formats[layout])
        with torch.no_grad():
            classes = self.net.eval()(self.x[:1]).shape[1]
        self.net.train()
        self.labels = torch.randint(classes, (batch,))
        self.optimizer = sgd(self.net, facts, optimizer)
        self.loss = torch.nn.functional.cross_entropy

    def step(self):
        self.optimizer.zero_grad(set_to_none=True)
        self.loss(self.net(self.x), self.labels).backward()
        self.optimizer.step()

    def seconds(self, steps):
        begin = time.perf_counter()
        for _ in range(steps):
            self.step()
        return time.perf_counter() - begin

    def best_step(self, seconds):
        """After the first steps, which allocate memory and choose kernels."""
        self.seconds(2)
        best, spent = float("inf"), 0.0
        while best == float("inf") or spent < seconds:
            one = self.seconds(1)
            best, spent = min(best, one), spent + one
        return best


def sgd(net, facts, implementation):
    """Weight decay on kernels and matrices only, as condenser does."""
    import torch
    parameters = list(net.parameters())
    groups = [{"params": [p for p in parameters if p.dim() > 1], "weight_decay": facts["weight_decay"]},
              {"params": [p for p in parameters if p.dim() <= 1], "weight_decay": 0.0}]
    return torch.optim.SGD([g for g in groups if g["params"]], lr=facts["lr"], momentum=facts["momentum"], nesterov=True,
                           **{implementation: True})


def distance(ours, theirs):
    """Largest difference, relative to the largest value."""
    return float((ours - theirs).abs().max() / max(1.0, float(theirs.abs().max())))


def examine(folder):
    """Compares condenser's step with PyTorch's."""
    import torch
    io, before, after = (read_safetensors(folder / f"{name}.safetensors") for name in ("step", "before", "after"))

    def repeat(dtype):
        """Outputs before the step, and the change of all parameters."""
        net, facts = load(folder)
        net, x = net.to(dtype), io["input"].to(dtype)
        with torch.no_grad():
            evaluated = net.eval()(x)
        optimizer = sgd(net.train(), facts, "foreach")
        logits = net(x)
        torch.nn.functional.cross_entropy(logits, io["labels"]).backward()
        optimizer.step()
        change = torch.cat([(p.detach().double() - before[n]).flatten() for n, p in net.named_parameters()])
        return net, evaluated, logits.detach(), change

    net, evaluated, logits, change = repeat(torch.float32)
    _, _, exact_logits, exact = repeat(torch.float64)
    ours = torch.cat([(after[n].double() - before[n]).flatten() for n, _ in net.named_parameters()])
    report = {"params": sum(p.numel() for p in net.parameters()), "evaluated": distance(io["evaluated"], evaluated),
              "logits": distance(io["logits"], exact_logits), "pytorch_logits": distance(logits, exact_logits),
              # Behind kinks and small batches floats go their own way; PyTorch's distance from double says how far.
              "update": float((ours - exact).norm() / exact.norm()), "pytorch_update": float((change - exact).norm() / exact.norm())}
    return report


def probe(folder, layout, batch, seconds):
    """Seconds of a step with each optimizer."""
    return {optimizer: Trainer(folder, layout, optimizer, batch).best_step(seconds) for optimizer in ("foreach", "fused")}


def serve(folder, layout, optimizer, batch, seconds):
    """The protocol of `condenser bench train --turns`."""
    trainer = Trainer(folder, layout, optimizer, batch)
    steps = max(1, int(seconds / trainer.best_step(0)))
    print(json.dumps({"ready": True}), flush=True)
    for _ in sys.stdin:
        print(json.dumps({"images": steps * batch, "seconds": trainer.seconds(steps)}), flush=True)


def worker(arguments):
    import warnings
    warnings.filterwarnings("ignore", message=".*NumPy.*")  # not needed here, and PyTorch says that it is absent
    import torch
    torch.set_num_threads(arguments.threads)
    folder = Path(arguments.worker)
    if arguments.optimizer:
        serve(folder, arguments.layout, arguments.optimizer, arguments.batch, arguments.seconds)
    elif arguments.layout:
        print(json.dumps(probe(folder, arguments.layout, arguments.batch, arguments.seconds)))
    else:
        print(json.dumps(examine(folder)))


# --- measuring ---------------------------------------------------------------------------------------------------------

class Contestant:
    """A process that trains when it gets a line."""
    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.speeds, self.processor_speeds = [], []
        self.answer()

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{' '.join(map(str, self.process.args))}: ended with {self.process.wait()}")
        return json.loads(line)

    def processor_seconds(self):
        """Of all threads; on a busy machine steadier than the clock (with one thread: waiting threads spin)."""
        tasks = Path(f"/proc/{self.process.pid}/task")
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks.iterdir()) * 1e-9

    def turn(self, count):
        before = self.processor_seconds()
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        answer = self.answer()
        if count:
            self.speeds.append(answer["images"] / answer["seconds"])
            self.processor_speeds.append(answer["images"] / (self.processor_seconds() - before))

    def finish(self):
        """Peak resident memory in MiB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
        self.process.stdin.close()
        self.process.wait()
        return peak / 1024

    def spread(self):
        """Half the distance of the quartiles, in percent of the median."""
        low, middle, high = statistics.quantiles(self.speeds, n=4)
        return 50 * (high - low) / middle


def fastest_way(name, python):
    """PyTorch's faster layout and optimizer. Each layout in a process of its own, as one may crash there (mobileone_s0_train
    does in channels-last, in the library's convolution backward)."""
    steps = {}
    for layout in ("channels-last", "planes"):
        probed = subprocess.run([*python, "--layout", layout], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if probed.returncode == 0:
            steps |= {(layout, optimizer): seconds for optimizer, seconds in json.loads(probed.stdout).items()}
        else:
            print(f"{name}: PyTorch in {layout} ended with {probed.returncode}; left out", file=sys.stderr, flush=True)
    if not steps:
        raise SystemExit("PyTorch trains it in no layout")
    return min(steps, key=steps.get)


def measure(network, options, folder):
    step = [options.condenser, "bench", "train", network["name"], *network["arguments"], "--threads", str(options.threads)]
    subprocess.run([*step, "--batch", str(options.check_batch), "-o", folder], check=True)
    facts = json.loads((folder / "step.json").read_text())
    batch = options.batch or network["batch"]
    python = [sys.executable, __file__, "--worker", folder, "--threads", str(options.threads), "--batch", str(batch)]
    round_seconds = options.seconds / 2 / options.rounds
    python += ["--seconds", str(round_seconds)]
    examined = subprocess.run(python, check=True, stdout=subprocess.PIPE, text=True)
    same = json.loads(examined.stdout)
    for what, found, expected in [("parameters", same["params"], facts["params"]), ("evaluation", same["evaluated"], TOLERANCE),
                                  ("training", same["logits"], max(TOLERANCE, 3 * same["pytorch_logits"])),
                                  ("update", same["update"], max(100 * TOLERANCE, 3 * same["pytorch_update"]))]:
        if found > expected or (what == "parameters" and found != expected):
            raise SystemExit(f"not the same network: {what} {found}; expected {expected}")
    layout, optimizer = fastest_way(network["name"], python)
    ours = Contestant([*step, "--batch", str(batch), "--seconds", str(round_seconds), "--turns"])
    theirs = Contestant([*python, "--layout", layout, "--optimizer", optimizer])
    for number in range(options.rounds + 1):  # the first round warms up
        for side in (ours, theirs) if number % 2 == 0 else (theirs, ours):
            side.turn(count=number > 0)
    row = {"network": network["label"], "input": "x".join(map(str, json.loads((folder / "spec.json").read_text())["input"])),
           "params": facts["params"], "macs": facts["macs"], "batch": batch, "threads": options.threads,
           "ours_images_per_s": statistics.median(ours.speeds), "pytorch_images_per_s": statistics.median(theirs.speeds)}
    row["ratio"] = statistics.median([a / b for a, b in zip(ours.speeds, theirs.speeds)])
    row["processor_time_ratio"] = statistics.median(ours.processor_speeds) / statistics.median(theirs.processor_speeds)
    return row | {"ours_spread_percent": ours.spread(), "pytorch_spread_percent": theirs.spread(),
                  "ours_peak_mib": ours.finish(), "pytorch_peak_mib": theirs.finish(),
                  "pytorch_layout": layout, "pytorch_optimizer": optimizer,
                  "output_difference": max(same["evaluated"], same["logits"]), "update_difference": same["update"],
                  "pytorch_update_difference": same["pytorch_update"]}


def find_networks(options):
    """Names become arguments of condenser; `zoo` stands for every entry."""
    listed = subprocess.run([options.condenser, "zoo", "--format", "json"], check=True, stdout=subprocess.PIPE, text=True)
    zoo = {}
    for entry in json.loads(listed.stdout):
        # A loss needs two outputs; large pictures in small batches, so that a step takes about a second at most.
        _, height, width = map(int, entry["input"].split("x"))
        zoo[entry["name"]] = {"name": entry["name"], "label": entry["name"], "batch": 128 if height * width <= 96 * 96 else 8,
                              "arguments": ["--classes", "1000"] if entry["classes"] == 1 else []}
    found = []
    for name in options.networks.split(","):
        if name == "zoo":
            found += zoo.values()
        elif name in zoo:
            found.append(zoo[name])
        else:
            found.append({"name": name, "label": Path(name).stem, "batch": 128, "arguments": []})
    return list({network["label"]: network for network in found}.values())  # each once


def hardware(options):
    cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo", encoding="utf-8") if line.startswith("model name")),
               platform.machine())
    return f"{cpu}, {os.cpu_count()} hardware threads, load {os.getloadavg()[0]:.2f} before; {options.threads} threads each"


def to_json(rows, machine):
    return json.dumps({"schema_version": 1, "hardware": machine, "rows": rows}, indent=2)


def write(path, text):
    """Never half of it."""
    beside = path.with_name(path.name + ".new")
    beside.write_text(text + "\n")
    beside.replace(path)


def to_text(rows, machine):
    lines = ["| network | input | batch | ours, images/s | PyTorch, images/s | ratio | by processor time | spread % | peak MiB, ours / PyTorch | PyTorch's way |",
             "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |"]
    for r in rows:
        lines.append(f"| {r['network']} | {r['input']} | {r['batch']} | {r['ours_images_per_s']:,.1f} | {r['pytorch_images_per_s']:,.1f} | "
                     f"{r['ratio']:.2f} | {r['processor_time_ratio']:.2f} | {r['ours_spread_percent']:.1f} / {r['pytorch_spread_percent']:.1f} | "
                     f"{r['ours_peak_mib']:.0f} / {r['pytorch_peak_mib']:.0f} | {r['pytorch_layout']}, {r['pytorch_optimizer']} |")
    return "\n".join([*lines, "", machine])


def main():
    root = Path(__file__).resolve().parent.parent
    built = [root / "build" / preset / "condenser" for preset in ("release", "ci")]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", default="zoo", help="zoo names, spec files, `zoo` for every entry; with commas between")
    parser.add_argument("--batch", type=int, default=0, help="default: 128, and 8 for inputs above 96x96")
    parser.add_argument("--check-batch", type=int, default=8, help="of the step that is compared")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=8, help="of measuring per network, shared by both")
    parser.add_argument("--rounds", type=int, default=8, help="turns of each")
    parser.add_argument("--format", choices=["json", "text"], default="text")
    parser.add_argument("-o", "--out", type=Path, help="JSON file that is written anew after each network")
    parser.add_argument("--show", type=Path, help="print the table of a JSON file that was measured before")
    parser.add_argument("--condenser", type=Path, default=next((p for p in built if p.exists()), built[0]))
    for hidden in ("--worker", "--layout", "--optimizer"):
        parser.add_argument(hidden, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        return worker(options)
    if options.show:
        measured = json.loads(options.show.read_text())
        return print(to_text(measured["rows"], measured["hardware"]))
    if not options.condenser.exists():
        raise SystemExit(f"{options.condenser}: no such program; build condenser first, or name it with --condenser")
    machine, rows, failed = hardware(options), [], []
    for network in find_networks(options):
        with tempfile.TemporaryDirectory() as folder:
            try:
                rows.append(measure(network, options, Path(folder)))
                if options.out:
                    write(options.out, to_json(rows, machine))
                print(f"{network['label']}: {rows[-1]['ratio']:.2f}, by processor time {rows[-1]['processor_time_ratio']:.2f}", file=sys.stderr, flush=True)
            except (SystemExit, subprocess.CalledProcessError) as error:
                failed.append(network["label"])
                print(f"{network['label']}: {error}", file=sys.stderr, flush=True)
    if options.format == "json":
        print(to_json(rows, machine))
    else:
        print(to_text(rows, machine))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
