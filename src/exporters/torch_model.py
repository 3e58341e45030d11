"""A network of condenser in PyTorch; needs nothing but torch.

    network = load()                    # floats, ready for network(x), training and torch.onnx.export
    network = load(int8=True)           # the int8 network: its weights, and values rounded to 8 bits as on the chip

Input: [n, channels, height, width]. Output: [n, classes], or [n, c, h, w] of a map; of several outputs a tuple.
"""
import json
import os
import struct

import torch
from torch import nn
from torch.nn import functional as F

HERE = os.path.dirname(os.path.abspath(__file__))


def read_safetensors(path):
    """Eight bytes of length, a header in JSON, then the tensors."""
    types = {"F32": torch.float32, "I8": torch.int8, "I32": torch.int32, "I64": torch.int64, "U8": torch.uint8}
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header, data = json.loads(file.read(length)), bytearray(file.read())
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        begin, end = entry["data_offsets"]
        shape, dtype = entry["shape"], types[entry["dtype"]]
        tensors[name] = torch.frombuffer(data[begin:end], dtype=dtype).reshape(shape) if end > begin else torch.empty(shape, dtype=dtype)
    return tensors


ACTIVATIONS = {
    "relu": F.relu, "relu6": F.relu6, "silu": F.silu, "sigmoid": torch.sigmoid, "hard_swish": F.hardswish,
    "hard_sigmoid": F.hardsigmoid, "tanh": torch.tanh, "none": lambda x: x,
}


def pair(value):
    return (value, value) if isinstance(value, int) else tuple(value)


def padded(x, pad, value=0.0):
    top, bottom, left, right = pad
    return F.pad(x, (left, right, top, bottom), value=value) if any(pad) else x


def average_pool(x, node):
    kernel, stride = pair(node["kernel"]), pair(node["stride"])
    y = F.avg_pool2d(padded(x, node["pad"]), kernel, stride)
    if node.get("count_include_pad", False) or not any(node["pad"]):
        return y
    return y / F.avg_pool2d(padded(torch.ones_like(x[:1, :1]), node["pad"]), kernel, stride)


def softmax(x, node):
    y = F.softmax(x, 1) if node["axis"] == "channels" else F.softmax(x.flatten(2), 2).view_as(x)
    terms = x.shape[1] if node["axis"] == "channels" else x.shape[2] * x.shape[3]
    return y * terms if node.get("rescale", False) else y


def blur(x, node):
    line = torch.tensor([1.0, 2, 1] if node["taps"] == 3 else [1.0, 4, 6, 4, 1], dtype=x.dtype, device=x.device)
    weight = (torch.outer(line, line) / line.sum() ** 2).expand(x.shape[1], 1, -1, -1)
    side = node["taps"] // 2
    return F.conv2d(F.pad(x, (side,) * 4, mode="reflect"), weight, stride=pair(node["stride"]), groups=x.shape[1])


def upsample(x, node):
    rows, columns = ((torch.arange(to, device=x.device) * n).div(to, rounding_mode="floor")
                     for to, n in zip(pair(node["size"]), x.shape[2:]))
    return x[:, :, rows][:, :, :, columns]


def shuffle(x, node):
    return x.unflatten(1, (node["groups"], -1)).transpose(1, 2).flatten(1, 2)


class Network(nn.Module):
    """The nodes of arch.json, one after the other. Parameters are named as in the safetensors, '.' being '_'."""

    def __init__(self, arch, tensors):
        super().__init__()
        self.nodes, self.first = arch["nodes"], "input"
        if self.nodes and self.nodes[0]["op"] == "input":
            self.first = self.nodes[0]["name"]
        self.outputs = arch.get("outputs") or [self.nodes[-1]["name"]]
        self.scales = {}  # of values; empty: they stay floats
        for name, tensor in tensors.items():
            self.register_parameter(name.replace(".", "_"), nn.Parameter(tensor.clone()))

    def parameter(self, node, name):
        return getattr(self, node["name"] + "_" + name, None)

    def rounded(self, name, x):
        if name not in self.scales:
            return x
        scale, zero = self.scales[name]
        return (torch.clamp(torch.round(x / scale) + zero, -128, 127) - zero) * scale

    def step(self, node, x):
        op, weight, bias = node["op"], self.parameter(node, "weight"), self.parameter(node, "bias")
        if op == "conv2d":
            y = F.conv2d(padded(x[0], node["pad"]), weight, bias, pair(node["stride"]), groups=node["groups"])
        elif op == "linear":
            y = F.linear(x[0].flatten(1), weight, bias)[:, :, None, None]
        elif op == "activation":
            y = ACTIVATIONS[node["kind"]](x[0])
        elif op == "prelu":
            y = F.prelu(x[0], weight)
        elif op == "scale":
            y = x[0] * weight
        elif op == "softmax":
            y = softmax(x[0], node)
        elif op == "softmax_mul":
            y = softmax(x[0], node) * x[1]
        elif op == "avg_pool":
            y = average_pool(x[0], node)
        elif op == "max_pool":
            y = F.max_pool2d(padded(x[0], node["pad"], -torch.inf), pair(node["kernel"]), pair(node["stride"]))
        elif op == "global_avg_pool":
            y = x[0].mean((2, 3), keepdim=True)
        elif op == "blur_pool":
            y = blur(x[0], node)
        elif op == "upsample":
            y = upsample(x[0], node)
        elif op == "concat":
            y = torch.cat(x, 1)
        elif op == "slice":
            y = x[0][:, node["begin"]:node["begin"] + node["count"]]
        elif op == "channel_shuffle":
            y = shuffle(x[0], node)
        elif op == "add":
            y = x[0] + x[1]
        elif op == "mul":
            y = x[0] * x[1]
        else:
            raise ValueError(f"node {node['name']}: operator {op} is not known here")
        return ACTIVATIONS[node.get("clamp", "none")](y)

    def forward(self, x):
        values = {self.first: self.rounded(self.first, x)}
        for node in self.nodes:
            if node["op"] != "input":
                values[node["name"]] = self.rounded(node["name"], self.step(node, [values[i] for i in node["inputs"]]))
        results = [values[name] for name in self.outputs]
        results = [y.flatten(1) if y.shape[2:] == (1, 1) else y for y in results]
        return results[0] if len(results) == 1 else tuple(results)


def load(folder=HERE, int8=False):
    with open(os.path.join(folder, "arch.json")) as file:
        arch = json.load(file)
    if not int8:
        return Network(arch, read_safetensors(os.path.join(folder, "weights.safetensors"))).eval()
    tensors = read_safetensors(os.path.join(folder, "weights_int8.safetensors"))
    scales = {name[:-len(".scale")]: (float(t), int(tensors[name[:-len("scale")] + "zero_point"])) for name, t in tensors.items() if name.endswith(".scale")}
    floats = {}
    for node in arch["nodes"]:
        weight = tensors.get(node["name"] + ".weight")
        if weight is None:
            continue
        if weight.dtype == torch.int8:
            scale = tensors[node["name"] + ".weight_scale"]
            weight = weight.float() * scale.reshape([-1] + [1] * (weight.dim() - 1))
            bias = tensors.get(node["name"] + ".bias")
            if bias is not None:
                floats[node["name"] + ".bias"] = (bias.double() * scale.double() * scales[node["inputs"][0]][0]).float()
        floats[node["name"] + ".weight"] = weight
    network = Network(arch, floats).eval()
    network.scales = scales
    return network
