"""Writes TensorFlow Lite models with tricky options, inputs for them and what LiteRT's reference kernels answer:
<case>.tflite, .in, .out.

    python tflite_models.py FOLDER [float|int8|refused]

Of float models inputs and outputs are float32, four samples one after the other, channels first; of int8 models they are
the integers as they are, channels last. Models that nobody here can read come with <case>.why: a part of the reason. The last line of the output says how many cases there are.
"""
import os
import sys

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter, OpResolverType

folder, kind = sys.argv[1], sys.argv[2]
os.makedirs(folder, exist_ok=True)
rng = np.random.default_rng(1)
N = 4
count = 0
TYPES = {np.float32: 0, np.int32: 2, np.uint8: 3, np.int64: 4, np.int8: 9}
SAME, VALID = 0, 1
RELU, RELU6 = 1, 3


class Net:
    """Tensors are numbers; `scale` makes one hold integers."""

    def __init__(self, dtype=np.float32):
        self.tensors, self.operators, self.codes, self.buffers = [], [], [], [schema.BufferT()]
        self.inputs, self.dtype = [], dtype

    def tensor(self, shape, dtype, scale=None, zero=0, axis=0, data=None, name=None):
        t = schema.TensorT()
        t.shape, t.type, t.buffer = list(shape), TYPES[dtype], 0
        t.name = name or f"net/t{len(self.tensors)}/it"
        if data is not None:
            b = schema.BufferT()
            b.data = np.frombuffer(np.ascontiguousarray(data).tobytes(), np.uint8)
            self.buffers.append(b)
            t.buffer = len(self.buffers) - 1
        if scale is not None:
            q = schema.QuantizationParametersT()
            q.scale = np.atleast_1d(np.asarray(scale, np.float32))
            q.zeroPoint = np.zeros(len(q.scale), np.int64) + zero
            q.quantizedDimension = axis
            t.quantization = q
        self.tensors.append(t)
        return len(self.tensors) - 1

    def value(self, *shape, scale=0.05, zero=3, dtype=None):
        dtype = dtype or self.dtype
        return self.tensor(shape, dtype, None if dtype == np.float32 else scale, zero)

    def input(self, *shape, **more):
        self.inputs.append(self.value(*shape, **more))
        return self.inputs[-1]

    def const(self, values, dtype=np.int32):
        values = np.asarray(values, dtype)
        return self.tensor(values.shape, dtype, data=values)

    def weight(self, *shape, axis=0, x=None, per_channel=True, size=0.5):
        """A filter and its bias; of int8 networks integers, the bias in units of x's scale times the filter's."""
        if self.dtype == np.float32:
            w = (rng.standard_normal(shape) * size).astype(np.float32)
            return self.tensor(shape, np.float32, data=w), self.tensor([shape[axis]], np.float32, data=rng.standard_normal(shape[axis]).astype(np.float32))
        scale = np.asarray(rng.uniform(0.002, 0.006, shape[axis] if per_channel else 1), np.float32)
        w = rng.integers(-127, 128, shape).astype(np.int8)
        b = rng.integers(-3000, 3000, shape[axis]).astype(np.int32)
        at = self.tensors[x].quantization.scale[0]
        return self.tensor(shape, np.int8, scale, 0, axis, w), self.tensor([shape[axis]], np.int32, scale * at, 0, 0, b)

    def op(self, name, inputs, outputs, options=None, version=1, **fields):
        code = getattr(schema.BuiltinOperator, name)
        if (code, version) not in self.codes:
            self.codes.append((code, version))
        o = schema.OperatorT()
        o.opcodeIndex = self.codes.index((code, version))
        o.inputs, o.outputs = list(inputs), list(outputs)
        if options:
            o.builtinOptionsType = getattr(schema.BuiltinOptions, options)
            o.builtinOptions = getattr(schema, options + "T")()
            for key, value in fields.items():
                assert hasattr(o.builtinOptions, key), key
                setattr(o.builtinOptions, key, value)
        self.operators.append(o)
        return outputs[0]

    def conv(self, x, w, b, y, padding=SAME, stride=(1, 1), dilation=(1, 1), activation=0):
        return self.op("CONV_2D", [x, w, b], [y], "Conv2DOptions", 3, padding=padding, strideH=stride[0], strideW=stride[1],
                       dilationHFactor=dilation[0], dilationWFactor=dilation[1], fusedActivationFunction=activation)

    def depthwise(self, x, w, b, y, multiplier, padding=SAME, stride=(1, 1), activation=0):
        return self.op("DEPTHWISE_CONV_2D", [x, w, b], [y], "DepthwiseConv2DOptions", 3, padding=padding, strideH=stride[0], strideW=stride[1],
                       depthMultiplier=multiplier, dilationHFactor=1, dilationWFactor=1, fusedActivationFunction=activation)

    def pool(self, name, x, y, size, stride, padding=SAME, activation=0):
        return self.op(name, [x], [y], "Pool2DOptions", 2, padding=padding, filterHeight=size[0], filterWidth=size[1], strideH=stride[0],
                       strideW=stride[1], fusedActivationFunction=activation)

    def bytes(self, outputs):
        g = schema.SubGraphT()
        g.tensors, g.operators, g.inputs, g.outputs = self.tensors, self.operators, self.inputs, list(outputs)
        m = schema.ModelT()
        m.version, m.subgraphs, m.buffers = 3, [g], self.buffers
        m.operatorCodes = []
        for code, version in self.codes:
            c = schema.OperatorCodeT()
            c.builtinCode, c.deprecatedBuiltinCode, c.version = code, min(code, 127), version
            m.operatorCodes.append(c)
        def packed():
            builder = flatbuffers.Builder(1024)
            builder.Finish(m.Pack(builder), b"TFL3")
            return bytes(builder.Output())

        if not self.far:
            return packed()
        far = self.buffers[1]
        far.data, far.size, far.offset = None, len(self.far), 1 << 20
        far.offset = (len(packed()) + 15) // 16 * 16
        return packed().ljust(far.offset, b"\0") + self.far


def keep(name, net, *outputs):
    """Runs the network on random inputs and writes the case."""
    global count
    path = f"{folder}/{name}.tflite"
    with open(path, "wb") as file:
        file.write(net.bytes(outputs))
    run = Interpreter(path, experimental_op_resolver_type=OpResolverType.BUILTIN_REF)
    run.allocate_tensors()
    given, made = run.get_input_details()[0], run.get_output_details()
    xs, ys = [], []
    for _ in range(N):
        if given["dtype"] == np.float32:
            x = rng.standard_normal(given["shape"]).astype(np.float32)
        else:
            limits = np.iinfo(given["dtype"])
            x = rng.integers(limits.min, limits.max + 1, given["shape"]).astype(given["dtype"])
        run.set_tensor(given["index"], x)
        run.invoke()
        xs.append(x)
        ys.append([run.get_tensor(o["index"]) for o in made])
    first = (lambda a: np.moveaxis(a, -1, 1)) if kind == "float" else (lambda a: a)
    shape = net.tensors[net.operators[0].outputs[0]].shape if len(given["shape"]) < 4 and net.reshaped else given["shape"]
    np.concatenate([np.ascontiguousarray(first(x.reshape(shape))).reshape(-1) for x in xs]).tofile(f"{folder}/{name}.in")
    np.concatenate([np.ascontiguousarray(first(y)).reshape(-1) for k in range(len(made)) for y in [s[k] for s in ys]]
                   if kind == "float" else [y.reshape(-1) for s in ys for y in s]).tofile(f"{folder}/{name}.out")
    count += 1


Net.far = b""  # what lies behind the tables: the first buffer
Net.reshaped = False  # the first operator makes a map of the input


def layers(dtype):
    """Operators that have weights or a window, in both forms."""
    for padding, text in ((SAME, "same"), (VALID, "valid")):
        n = Net(dtype)
        x = n.input(1, 8, 9, 3)
        h, w = (4, 5) if padding == SAME else (3, 4)
        keep(f"conv_{text}", n, n.conv(x, *n.weight(4, 3, 3, 3, x=x), n.value(1, h, w, 4), padding, (2, 2)))
        for name in ("MAX_POOL_2D", "AVERAGE_POOL_2D"):
            n = Net(dtype)
            x = n.input(1, 8, 9, 3)
            keep(f"{name.lower()}_{text}", n, n.pool(name, x, n.value(1, h, w, 3), (3, 3), (2, 2), padding))
    n = Net(dtype)
    x = n.input(1, 8, 8, 4)
    keep("conv_groups", n, n.conv(x, *n.weight(6, 3, 3, 2, x=x), n.value(1, 8, 8, 6)))
    n = Net(dtype)
    x = n.input(1, 9, 9, 2)
    keep("conv_dilated", n, n.conv(x, *n.weight(3, 3, 3, 2, x=x), n.value(1, 9, 9, 3), dilation=(2, 3)))
    n = Net(dtype)
    x = n.input(1, 10)
    keep("fully_connected_without_bias", n, n.op("FULLY_CONNECTED", [x, n.weight(5, 10, x=x, per_channel=False)[0], -1], [n.value(1, 5)], "FullyConnectedOptions", 4))
    n = Net(dtype)
    x = n.input(1, 6, 6, 3)
    keep("conv_one_scale", n, n.conv(x, *n.weight(4, 2, 4, 3, x=x, per_channel=False), n.value(1, 6, 6, 4)))
    for activation, text in ((RELU, "relu"), (RELU6, "relu6")):
        n = Net(dtype)
        x = n.input(1, 6, 6, 3)
        keep(f"conv_{text}", n, n.conv(x, *n.weight(4, 3, 3, 3, x=x), n.value(1, 6, 6, 4, zero=-128), activation=activation))
        n = Net(dtype)
        x = n.input(1, 6, 6, 3)
        y = n.conv(x, *n.weight(3, 1, 1, 3, x=x), n.value(1, 6, 6, 3, scale=0.04, zero=7))
        keep(f"add_{text}", n, n.op("ADD", [x, y], [n.value(1, 6, 6, 3, scale=0.07, zero=-100)], "AddOptions", 2, fusedActivationFunction=activation))
    for multiplier in (1, 2):
        n = Net(dtype)
        x = n.input(1, 7, 8, 3)
        keep(f"depthwise_{multiplier}", n, n.depthwise(x, *n.weight(1, 3, 3, 3 * multiplier, axis=3, x=x), n.value(1, 4, 4, 3 * multiplier), multiplier, stride=(2, 2)))
    n = Net(dtype)
    x = n.input(1, 7, 8, 1)
    keep("depthwise_of_one", n, n.depthwise(x, *n.weight(1, 3, 3, 4, axis=3, x=x), n.value(1, 7, 8, 4), 4))
    for form in ("valid", "same"):
        n = Net(dtype)
        x = n.input(1, 8, 8, 3)
        p = n.op("PAD", [x, n.const([[0, 0], [1, 0], [0, 1], [0, 0]])], [n.value(1, 9, 9, 3)], "PadOptions", 2)
        size = 4 if form == "valid" else 5
        keep(f"pad_conv_{form}", n, n.conv(p, *n.weight(4, 3, 3, 3, x=p), n.value(1, size, size, 4), VALID if form == "valid" else SAME, (2, 2)))
    n = Net(dtype)
    x = n.input(1, 10)
    keep("fully_connected", n, n.op("FULLY_CONNECTED", [x, *n.weight(5, 10, x=x, per_channel=False)], [n.value(1, 5)], "FullyConnectedOptions", 4, fusedActivationFunction=RELU))
    n = Net(dtype)
    x = n.input(1, 4, 5, 2)
    f = n.op("RESHAPE", [x, n.const([-1, 40])], [n.value(1, 40)], "ReshapeOptions")
    keep("flatten", n, n.op("FULLY_CONNECTED", [f, *n.weight(3, 40, x=f, per_channel=False)], [n.value(1, 3)], "FullyConnectedOptions", 4))
    n = Net(dtype)
    x = n.input(1, 4, 5, 2)
    keep("fully_connected_of_map", n, n.op("FULLY_CONNECTED", [x, *n.weight(3, 40, x=x, per_channel=False)], [n.value(1, 3)], "FullyConnectedOptions", 4))
    n = Net(dtype)
    x = n.input(1, 4, 5, 2)
    keep("fully_connected_by_pixel", n, n.op("FULLY_CONNECTED", [x, *n.weight(3, 2, x=x, per_channel=False)], [n.value(1, 4, 5, 3)], "FullyConnectedOptions", 5, keepNumDims=True))
    n = Net(dtype)
    x = n.input(1, 48)
    m = n.op("RESHAPE", [x], [n.value(1, 6, 8, 1)], "ReshapeOptions", newShape=[1, 6, 8, 1])
    n.reshaped = True
    keep("list_to_map", n, n.conv(m, *n.weight(4, 3, 3, 1, x=m), n.value(1, 6, 8, 4)))
    n = Net(dtype)
    x = n.input(1, 9, 3)
    m = n.op("EXPAND_DIMS", [x, n.const(1)], [n.value(1, 1, 9, 3)], "ExpandDimsOptions")
    n.reshaped = True
    y = n.conv(m, *n.weight(4, 1, 3, 3, x=m), n.value(1, 1, 5, 4), stride=(1, 2))
    keep("one_dimension", n, n.op("SQUEEZE", [y], [n.value(1, 5, 4)], "SqueezeOptions", squeezeDims=[1]))
    n = Net(dtype)  # what TensorFlow writes for a flattening of an open batch
    x = n.input(1, 4, 4, 2)
    s = n.op("SHAPE", [x], [n.tensor([4], np.int32)], "ShapeOptions", outType=2)
    b = n.op("STRIDED_SLICE", [s, n.const([0]), n.const([1]), n.const([1])], [n.tensor([], np.int32)], "StridedSliceOptions", shrinkAxisMask=1)
    p = n.op("PACK", [b, n.const(32)], [n.tensor([2], np.int32)], "PackOptions", valuesCount=2)
    f = n.op("RESHAPE", [x, p], [n.value(1, 32)], "ReshapeOptions")
    keep("computed_extents", n, n.op("FULLY_CONNECTED", [f, *n.weight(3, 32, x=f, per_channel=False)], [n.value(1, 3)], "FullyConnectedOptions", 4))
    for keeps in (True, False):
        n = Net(dtype)
        x = n.input(1, 5, 7, 3)
        y = n.value(1, 1, 1, 3) if keeps else n.value(1, 3)
        keep(f"mean_{'kept' if keeps else 'dropped'}", n, n.op("MEAN", [x, n.const([1, 2])], [y], "ReducerOptions", 2, keepDims=keeps))
    n = Net(dtype)
    x = n.input(1, 5, 7, 3)
    keep("mean_other_scale", n, n.op("MEAN", [x, n.const([1, 2])], [n.value(1, 3, scale=0.013, zero=-20)], "ReducerOptions", 2))
    n = Net(dtype)
    x = n.input(1, 4, 4, 4)
    a = n.conv(x, *n.weight(3, 1, 1, 4, x=x), n.value(1, 4, 4, 3))
    b = n.conv(x, *n.weight(5, 1, 1, 4, x=x), n.value(1, 4, 4, 5))
    keep("concatenation", n, n.op("CONCATENATION", [a, b], [n.value(1, 4, 4, 8)], "ConcatenationOptions", 2, axis=3))
    n = Net(dtype)
    x = n.input(1, 4, 4, 6)
    parts = [n.value(1, 4, 4, 3), n.value(1, 4, 4, 3)]
    n.op("SPLIT", [n.const(3), x], parts, "SplitOptions", 2, numSplits=2)
    keep("split", n, n.conv(parts[1], *n.weight(2, 1, 1, 3, x=x), n.value(1, 4, 4, 2)))
    n = Net(dtype)
    x = n.input(1, 4, 4, 6)
    parts = [n.value(1, 4, 4, 1), n.value(1, 4, 4, 5)]
    n.op("SPLIT_V", [x, n.const([1, -1]), n.const(-1)], parts, "SplitVOptions", 2, numSplits=2)
    keep("split_of_sizes", n, n.conv(parts[1], *n.weight(2, 1, 1, 5, x=x), n.value(1, 4, 4, 2)))
    n = Net(dtype)
    x = n.input(1, 4, 4, 6)
    s = n.op("SLICE", [x, n.const([0, 0, 0, 2]), n.const([1, -1, 4, 3])], [n.value(1, 4, 4, 3)], "SliceOptions", 2)
    t = n.op("STRIDED_SLICE", [s, n.const([0, 0, 0, 1]), n.const([0, 0, 0, 9]), n.const([1, 1, 1, 1])], [n.value(1, 4, 4, 2)], "StridedSliceOptions", 2,
             beginMask=7, endMask=7)
    keep("slices", n, n.conv(t, *n.weight(2, 1, 1, 2, x=t), n.value(1, 4, 4, 2)))
    n = Net(dtype)
    x = n.input(1, 3, 3, 6)
    a = n.op("RESHAPE", [x, n.const([1, 3, 3, 2, 3])], [n.value(1, 3, 3, 2, 3)], "ReshapeOptions")
    b = n.op("TRANSPOSE", [a, n.const([0, 1, 2, 4, 3])], [n.value(1, 3, 3, 3, 2)], "TransposeOptions", 2)
    keep("shuffle", n, n.op("RESHAPE", [b, n.const([1, 3, 3, 6])], [n.value(1, 3, 3, 6)], "ReshapeOptions"))
    n = Net(dtype)
    x = n.input(1, 3, 4, 2)
    keep("resize", n, n.op("RESIZE_NEAREST_NEIGHBOR", [x, n.const([6, 12])], [n.value(1, 6, 12, 2)], "ResizeNearestNeighborOptions", 2))
    n = Net(dtype)
    x = n.input(1, 5, 5, 3)
    m = n.pool("AVERAGE_POOL_2D", x, n.value(1, 1, 1, 3), (5, 5), (5, 5), VALID)
    keep("gate", n, n.op("MUL", [x, m], [n.value(1, 5, 5, 3, scale=0.06, zero=-9)], "MulOptions", 2))


def floats():
    layers(np.float32)
    n = Net()  # large weights lie behind the tables
    x = n.input(1, 4, 4, 3)
    w = rng.standard_normal((2, 3, 3, 3)).astype(np.float32)
    n.far = w.tobytes()
    keep("buffer_behind", n, n.conv(x, n.tensor(w.shape, np.float32, data=w), n.const([0.5, -1], np.float32), n.value(1, 4, 4, 2)))
    for name, options, fields in (("LOGISTIC", None, {}), ("TANH", None, {}), ("HARD_SWISH", "HardSwishOptions", {}), ("RELU", None, {}), ("RELU6", None, {}),
                                  ("LEAKY_RELU", "LeakyReluOptions", {"alpha": 0.2})):
        n = Net()
        x = n.input(1, 3, 3, 2)
        keep(name.lower(), n, n.op(name, [x], [n.value(1, 3, 3, 2)], options, **fields))
    n = Net()
    x = n.input(1, 3, 3, 2)
    keep("prelu", n, n.op("PRELU", [x, n.const([[[0.1, -0.3]]], np.float32)], [n.value(1, 3, 3, 2)]))
    for name, options in (("ADD", "AddOptions"), ("SUB", "SubOptions"), ("MUL", "MulOptions"), ("DIV", "DivOptions")):
        n = Net()
        x = n.input(1, 3, 3, 2)
        keep(f"{name.lower()}_constants", n, n.op(name, [x, n.const([0.5, 4], np.float32)], [n.value(1, 3, 3, 2)], options))
    n = Net()
    x = n.input(1, 4, 4, 3)
    s = n.op("SOFTMAX", [x], [n.value(1, 4, 4, 3)], "SoftmaxOptions", beta=1.0)
    keep("softmax_times_value", n, n.op("MUL", [s, x], [n.value(1, 4, 4, 3)], "MulOptions"))
    n = Net()
    x = n.input(1, 6, 6, 3)
    m = n.op("MIRROR_PAD", [x, n.const([[0, 0], [1, 1], [1, 1], [0, 0]])], [n.value(1, 8, 8, 3)], "MirrorPadOptions", mode=0)
    line = np.array([1, 2, 1], np.float32) / 4
    w = n.tensor([1, 3, 3, 3], np.float32, data=np.repeat(np.outer(line, line).reshape(1, 3, 3, 1), 3, 3).astype(np.float32))
    keep("blur", n, n.op("DEPTHWISE_CONV_2D", [m, w], [n.value(1, 3, 3, 3)], "DepthwiseConv2DOptions", padding=VALID, strideH=2, strideW=2, depthMultiplier=1,
                         dilationHFactor=1, dilationWFactor=1))
    n = Net()
    x = n.input(1, 4, 4, 3)
    p = n.op("PADV2", [x, n.const([[0, 0], [1, 0], [0, 1], [0, 0]]), n.const(0.0, np.float32)], [n.value(1, 5, 5, 3)], "PadV2Options")
    keep("pad_with_value", n, n.conv(p, *n.weight(2, 3, 3, 3), n.value(1, 3, 3, 2), VALID))
    n = Net()
    x = n.input(1, 4, 4, 3)
    a = n.conv(x, *n.weight(2, 3, 3, 3), n.value(1, 4, 4, 2))
    b = n.op("RELU", [a], [n.value(1, 4, 4, 2)])
    keep("two_outputs", n, a, b)


def int8():
    layers(np.int8)
    for name, options, scale, zero, fields in (("LOGISTIC", None, 1 / 256, -128, {}), ("TANH", None, 1 / 128, 0, {}), ("HARD_SWISH", "HardSwishOptions", 0.04, -100, {}),
                                               ("LEAKY_RELU", "LeakyReluOptions", 0.03, -60, {"alpha": 0.2}), ("RELU", None, 0.03, -128, {}), ("RELU6", None, 0.03, -128, {})):
        n = Net(np.int8)
        x = n.input(1, 8, 8, 2)
        keep(f"rounded_{name.lower()}", n, n.op(name, [x], [n.value(1, 8, 8, 2, scale=scale, zero=zero)], options,
                                          1 if name == "HARD_SWISH" else 2, **fields))
    n = Net(np.int8)
    x = n.input(1, 8, 8, 2)
    slope = n.tensor([1, 1, 2], np.int8, 0.004, 0, 0, np.array([[[30, -90]]], np.int8))
    keep("prelu", n, n.op("PRELU", [x, slope], [n.value(1, 8, 8, 2, scale=0.04, zero=-20)]))
    n = Net(np.int8)
    x = n.input(1, 8, 8, 2)
    keep("rounded_quantize", n, n.op("QUANTIZE", [x], [n.value(1, 8, 8, 2, scale=0.037, zero=-20)], "QuantizeOptions", 2))
    n = Net(np.int8)
    x = n.input(1, 4, 4, 4)
    a = n.conv(x, *n.weight(3, 1, 1, 4, x=x), n.value(1, 4, 4, 3, scale=0.031, zero=11))
    b = n.conv(x, *n.weight(5, 1, 1, 4, x=x), n.value(1, 4, 4, 5))
    a = n.op("QUANTIZE", [a], [n.value(1, 4, 4, 3)], "QuantizeOptions", 2)
    keep("concatenation_rescaled", n, n.op("CONCATENATION", [a, b], [n.value(1, 4, 4, 8)], "ConcatenationOptions", 2, axis=3))
    n = Net(np.int8)
    x = n.input(1, 6, 6, 3, dtype=np.uint8, zero=131)
    q = n.op("QUANTIZE", [x], [n.value(1, 6, 6, 3)], "QuantizeOptions", 2)
    y = n.conv(q, *n.weight(4, 3, 3, 3, x=q), n.value(1, 6, 6, 4))
    keep("unsigned_ends", n, n.op("QUANTIZE", [y], [n.value(1, 6, 6, 4, dtype=np.uint8, zero=131)], "QuantizeOptions", 2))
    n = Net(np.int8)
    x = n.input(1, 6, 6, 3)
    a = n.conv(x, *n.weight(3, 3, 3, 3, x=x), n.value(1, 6, 6, 3, scale=0.04, zero=5), activation=RELU)
    b = n.op("ADD", [x, a], [n.value(1, 6, 6, 3, scale=0.08, zero=-4)], "AddOptions", 2)
    c = n.depthwise(b, *n.weight(1, 3, 3, 3, axis=3, x=b), n.value(1, 3, 3, 3, scale=0.06), 1, stride=(2, 2), activation=RELU6)
    keep("chain", n, n.pool("AVERAGE_POOL_2D", c, n.value(1, 1, 1, 3, scale=0.06), (3, 3), (3, 3), VALID))


def refuse(name, why, net, *outputs, edit=None, data=None):
    """Writes a model that nobody runs, and a part of the reason why it is refused."""
    global count
    data = data if data is not None else net.bytes(outputs)
    with open(f"{folder}/{name}.tflite", "wb") as file:
        file.write(edit(data) if edit else data)
    with open(f"{folder}/{name}.why", "w") as file:
        file.write(why)
    count += 1


def refused():
    def one_conv(dtype=np.float32, **more):
        n = Net(dtype)
        x = n.input(1, 6, 6, 3)
        y = n.conv(x, *n.weight(4, 3, 3, 3, x=x), n.value(1, 6, 6, 4), **more)
        return n, y

    def changed(name, why, change, dtype=np.float32, **more):
        n, y = one_conv(dtype, **more)
        outputs = change(n)
        outputs = (y,) if outputs is None else outputs
        refuse(name, why, n, *outputs)

    def set_type(tensor, kind):
        return lambda n: setattr(n.tensors[tensor], "type", kind)

    n, y = one_conv()
    good = n.bytes([y])
    refuse("empty", "expected one that begins with the mark TFL3", None, data=b"")
    refuse("mark", "expected one that begins with the mark TFL3", None, data=good[:4] + b"TFL4" + good[8:])
    refuse("root", "a damaged TensorFlow Lite model", None, data=b"\xff\xff\xff\x7fTFL3" + good[8:])
    refuse("half", "a damaged TensorFlow Lite model", None, data=good[: len(good) // 2])
    changed("buffer_behind", "lies at 4096 with 432 bytes, in a file of",
            lambda n: (setattr(n.buffers[1], "data", None), setattr(n.buffers[1], "offset", 4096), setattr(n.buffers[1], "size", 432)) and None)
    changed("buffer_short", "400 bytes; its shape and type need 432", lambda n: setattr(n.buffers[1], "data", n.buffers[1].data[:400]))
    changed("buffer_place", "lies in buffer 77 of 3", lambda n: setattr(n.tensors[1], "buffer", 77))
    changed("extent_negative", "extent -3", lambda n: setattr(n.tensors[1], "shape", [4, 3, 3, -3]))
    changed("extent_huge", "extent 2147483647", lambda n: setattr(n.tensors[1], "shape", [2147483647, 2147483647, 3, 3]))
    changed("tensor_place", "names tensor 99 of 4", lambda n: setattr(n.operators[0], "inputs", [0, 99, 2]))
    changed("operator_kind", "is of kind 5 of 1", lambda n: setattr(n.operators[0], "opcodeIndex", 5))
    changed("options_kind", "(CONV_2D) has options of kind 5; expected 1",
            lambda n: (setattr(n.operators[0], "builtinOptionsType", 5), setattr(n.operators[0], "builtinOptions", schema.Pool2DOptionsT())) and None)
    changed("float16_weight", "holds FLOAT16; expected FLOAT32, INT8 or INT32", set_type(1, 1))
    changed("int4_weight", "holds INT4", set_type(1, 17))
    changed("int16_value", "holds INT16; expected FLOAT32 or INT8", set_type(3, 7))
    changed("unknown_type", "holds type 99", set_type(3, 99))
    changed("float16_input", "holds FLOAT16; expected FLOAT32 or INT8", set_type(0, 1))
    changed("no_scale", "holds INT8 with 0 scales; expected one scale", lambda n: setattr(n.tensors[3], "quantization", None), np.int8)
    changed("scale_zero", "with scale 0; expected one scale above 0", lambda n: setattr(n.tensors[3].quantization, "scale", np.zeros(1, np.float32)), np.int8)
    changed("scale_nan", "with scale nan", lambda n: setattr(n.tensors[0].quantization, "scale", np.full(1, np.nan, np.float32)), np.int8)
    changed("weight_without_scale", "integer weights without a scale", lambda n: setattr(n.tensors[1], "quantization", None), np.int8)
    changed("weight_scales", "has 3 scales and 4 zero points", lambda n: setattr(n.tensors[1].quantization, "scale", np.ones(3, np.float32)), np.int8)
    changed("weight_scale_axis", "axis 9 of 4 axes", lambda n: setattr(n.tensors[1].quantization, "quantizedDimension", 9), np.int8)
    changed("weight_asymmetric", "are not symmetric int8", lambda n: setattr(n.tensors[1].quantization, "zeroPoint", np.full(4, 5, np.int64)), np.int8)
    changed("weight_zero_point", "has zero point -9223372036854775808", lambda n: setattr(n.tensors[1].quantization, "zeroPoint", np.full(4, -2**63, np.int64)), np.int8)
    changed("bias_scale", "expected input scale times weight scale", lambda n: setattr(n.tensors[2].quantization, "scale", np.full(4, 0.5, np.float32)), np.int8)
    changed("zero_point", "zero point 300", lambda n: setattr(n.tensors[3].quantization, "zeroPoint", np.full(1, 300, np.int64)), np.int8)
    changed("variable", "keeps its value from one run to the next", lambda n: setattr(n.tensors[0], "isVariable", True))
    changed("fused_tanh", "ends in TANH; expected RELU or RELU6", lambda n: None, activation=4)
    changed("stride_zero", "strides [0, 1]", lambda n: None, stride=(0, 1))
    changed("open_height", "has shape [1, ?, 6, 3]", lambda n: setattr(n.tensors[0], "shapeSignature", [1, -1, 6, 3]))
    changed("computed_weight", "is computed; expected a constant", lambda n: setattr(n.tensors[1], "buffer", 0))
    changed("no_outputs", "its outputs read no input", lambda n: ())
    changed("output_is_input", "the output is the input", lambda n: (0,))
    changed("two_inputs", "has 2 inputs", lambda n: (n.op("ADD", [3, n.input(1, 6, 6, 4)], [n.value(1, 6, 6, 4)], "AddOptions"),))
    changed("written_twice", "which another operator writes too", lambda n: (n.op("RELU", [3], [3]),))
    changed("from_nowhere", "which no earlier operator writes", lambda n: (n.op("ADD", [3, n.value(1, 6, 6, 4)], [n.value(1, 6, 6, 4)], "AddOptions"),))
    changed("unknown_operator", "(LSTM): the operator is not known here", lambda n: (n.op("LSTM", [3], [n.value(1, 6, 6, 4)]),))
    changed("newest_operator", "(operator 163): the operator is not known here", lambda n: (n.op("STABLEHLO_ADD", [3], [n.value(1, 6, 6, 4)]),))
    changed("moved_to_another_scale", "moves integers, but its output", lambda n: (n.op("RESHAPE", [3], [n.value(1, 144, scale=0.9)], "ReshapeOptions", newShape=[1, 144]),), np.int8)
    changed("softmax_beta", "beta 2; expected 1", lambda n: (n.op("SOFTMAX", [3], [n.value(1, 6, 6, 4)], "SoftmaxOptions", beta=2.0),))
    changed("half_float", "reads constant", lambda n: (n.op("ADD", [3, n.op("DEQUANTIZE", [1], [n.value(4, 3, 3, 3)])], [n.value(1, 6, 6, 4)], "AddOptions"),))

    def custom(n):
        y = n.op("CUSTOM", [3], [n.value(1, 6, 6, 4)])
        return (y,)

    changed("custom_operator", "a custom operator, which is not known here", custom)
    n, y = one_conv()
    sparse = schema.SparsityParametersT()
    sparse.traversalOrder = [0, 1, 2, 3]
    n.tensors[1].sparsity = sparse
    refuse("sparse", "is sparse; expected a dense tensor", n, y)
    n, y = one_conv()
    for _ in range(3000):
        n.value(1)
    n.tensors[0].name = "x" * 100_000
    refuse("same_bytes_again", "name the same bytes again and again", n, y, edit=share_names)


def share_names(data):
    """All tensors take the name of the first: a small file that would fill the memory."""
    graph = schema.Model.GetRootAs(data, 0).Subgraphs(0)
    name_field = 10  # its place in the table of places
    first = graph.Tensors(0)._tab
    target = first.Indirect(first.Pos + first.Offset(name_field))
    changed = bytearray(data)
    for k in range(1, graph.TensorsLength()):
        table = graph.Tensors(k)._tab
        at = table.Pos + table.Offset(name_field)
        changed[at:at + 4] = (target - at).to_bytes(4, "little")
    return bytes(changed)


{"float": floats, "int8": int8, "refused": refused}[kind]()
print(count)
