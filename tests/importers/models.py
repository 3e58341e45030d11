"""Writes ONNX models with tricky attributes, inputs for them and what ONNX Runtime answers: <case>.onnx, .in, .out.

    python models.py FOLDER [operators|torch|int8]

Inputs and outputs are float32, four samples one after the other, channels first; the last line of the output says how
many cases there are. Cases that ONNX Runtime itself refuses are left out.
"""
import os
import sys

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper

folder, kind = sys.argv[1], sys.argv[2]
os.makedirs(folder, exist_ok=True)
rng = np.random.default_rng(1)
N = 4
count = 0


def session(path):
    options = ort.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    return ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def keep(name, x, chw=None):
    """Runs <name>.onnx on x; `chw` turns its input into ours."""
    global count
    path = f"{folder}/{name}.onnx"
    s = session(path)
    outputs = s.run(None, {s.get_inputs()[0].name: x})
    (x if chw is None else np.ascontiguousarray(x.transpose(chw))).astype(np.float32).tofile(f"{folder}/{name}.in")
    np.concatenate([o.reshape(-1) for o in outputs]).astype(np.float32).tofile(f"{folder}/{name}.out")
    count += 1


def weight(name, *shape, scale=0.5):
    return numpy_helper.from_array((rng.standard_normal(shape) * scale).astype(np.float32), name)


def ints(name, *values):
    return numpy_helper.from_array(np.array(values, np.int64), name)


def case(name, shape, nodes, initializers=(), opset=13, rank_out=None, batch="n", chw=None, old_inputs=False, outputs=("y",)):
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [batch, *shape])
    ys = [helper.make_tensor_value_info(y, TensorProto.FLOAT, None) for y in outputs]
    inputs = [x]
    if old_inputs:  # IR 3 lists initializers as inputs too
        inputs += [helper.make_tensor_value_info(i.name, i.data_type, list(i.dims)) for i in initializers]
    graph = helper.make_graph(list(nodes), name, inputs, ys, list(initializers))
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=3 if old_inputs else 8)
    onnx.save(model, f"{folder}/{name}.onnx")
    keep(name, rng.standard_normal((N, *shape)).astype(np.float32), chw)


def node(op, inputs, outputs="y", **attributes):
    split = lambda t: t.split() if isinstance(t, str) else t
    return helper.make_node(op, split(inputs), split(outputs), **attributes)


def operators():
    w = weight("w", 4, 3, 3, 3)
    for auto in ("SAME_UPPER", "SAME_LOWER", "VALID"):
        case(f"conv_{auto.lower()}", (3, 8, 9), [node("Conv", "x w", auto_pad=auto, strides=[2, 2])], [w])
        case(f"max_{auto.lower()}", (3, 8, 9), [node("MaxPool", "x", auto_pad=auto, strides=[2, 2], kernel_shape=[3, 3])])
        case(f"average_{auto.lower()}", (3, 8, 9),
             [node("AveragePool", "x", auto_pad=auto, strides=[2, 2], kernel_shape=[3, 3])])
    case("conv_even_same_lower", (3, 8, 9), [node("Conv", "x w2", auto_pad="SAME_LOWER")], [weight("w2", 4, 3, 2, 4)])
    case("conv_asymmetric", (3, 8, 9), [node("Conv", "x w", pads=[0, 1, 2, 0], strides=[2, 1])], [w])
    case("conv_dilated_groups", (4, 9, 9), [node("Conv", "x w b", dilations=[2, 3], pads=[2, 3, 2, 3], group=2)],
         [weight("w", 6, 2, 3, 3), weight("b", 6)])
    case("conv_depth_multiplier", (3, 8, 8), [node("Conv", "x w", group=3)], [weight("w", 6, 1, 3, 3)])
    case("conv_double_weights", (3, 8, 8), [node("Cast", "w", "v", to=TensorProto.FLOAT), node("Conv", "x v")],
         [numpy_helper.from_array(rng.standard_normal((2, 3, 1, 1)), "w")])
    case("conv_fixed_batch", (3, 8, 8), [node("Conv", "x w", "a"), node("Reshape", "a s", "y")],
         [w, ints("s", 4, -1)], batch=N)
    case("initializers_as_inputs", (3, 8, 8), [node("Conv", "x w")], [w], opset=8, old_inputs=True)
    for include in (0, 1):
        for ceil in (0, 1):
            for pads in ([0, 0, 0, 0], [1, 1, 1, 1], [1, 0, 0, 1]):
                if ceil and any(pads):
                    continue  # refused: pads of more than half a window, and zeros of which some count
                case(f"average_{include}{ceil}_{''.join(map(str, pads))}", (3, 8, 9),
                     [node("AveragePool", "x", kernel_shape=[3, 3], strides=[2, 2], pads=pads, ceil_mode=ceil,
                           count_include_pad=include)], opset=11)
    for pads in ([0, 0, 0, 0], [1, 1, 1, 1]):
        for size in (7, 8, 9):
            case(f"max_ceil_{pads[0]}_{size}", (2, size, size),
                 [node("MaxPool", "x", kernel_shape=[2, 2], strides=[2, 2], pads=pads, ceil_mode=1)], opset=12)
    for trans in (0, 1):
        for c in ("(n)", "(1)", "(1,n)", "none"):
            shape = (6, 5) if trans else (5, 6)
            bias = {"(n)": [6], "(1)": [1], "(1,n)": [1, 6]}.get(c)
            case(f"gemm_{trans}_{len(c)}{c[1] if c[0] == '(' else ''}", (5,),
                 [node("Gemm", "x w c" if bias else "x w", alpha=0.5, beta=2.0, transB=trans)],
                 [weight("w", *shape)] + ([weight("c", *bias)] if bias else []))
    case("matmul_add", (5,), [node("MatMul", "x w", "a"), node("Add", "b a")], [weight("w", 5, 3), weight("b", 3)])
    case("matmul_of_pixels", (4, 6), [node("Conv", "x k", "a"), node("Transpose", "a", "b", perm=[0, 2, 1]),
                                      node("MatMul", "b w", "c"), node("Transpose", "c", perm=[0, 2, 1])],
         [weight("k", 4, 4, 3), weight("w", 4, 7)])
    case("reshape_0", (3, 4, 5), [node("Reshape", "x s", "a"), node("Gemm", "a w")], [ints("s", 0, -1), weight("w", 60, 4)])
    case("reshape_allowzero", (3, 4, 5), [node("Conv", "x k", "b"), node("Reshape", "b s", "a", allowzero=1), node("Gemm", "a w")],
         [weight("k", 3, 3, 1, 1), ints("s", -1, 60), weight("w", 60, 4)], opset=14)
    case("flatten_negative", (3, 4, 5), [node("Conv", "x k", "b"), node("Flatten", "b", "a", axis=-3), node("Gemm", "a w")],
         [weight("k", 3, 3, 1, 1), weight("w", 60, 4)], opset=11)
    case("vector_to_map", (60,), [node("Reshape", "x s", "a"), node("Conv", "a k")], [ints("s", -1, 3, 4, 5), weight("k", 2, 3, 3, 3)])
    case("unsqueeze_11", (6, 7), [node("Unsqueeze", "x", "a", axes=[1]), node("Conv", "a k")], [weight("k", 2, 1, 3, 3)], opset=11)
    case("unsqueeze_13", (6, 7), [node("Unsqueeze", "x s", "a"), node("Conv", "a k")], [weight("k", 2, 1, 3, 3), ints("s", 1)])
    case("flat_map_of_nhwc", (3, 4, 5), [node("Conv", "x k", "a"), node("Transpose", "a", "b", perm=[0, 2, 3, 1]),
                                         node("Flatten", "b", "c"), node("Gemm", "c w")],
         [weight("k", 3, 3, 1, 1), weight("w", 60, 4)])
    case("nhwc", (6, 5, 3), [node("Transpose", "x", "a", perm=[0, 3, 1, 2]), node("Conv", "a k", "b"), node("Relu", "b", "d"),
                             node("Transpose", "d", "c", perm=[0, 2, 3, 1]), node("ReduceMean", "c", axes=[1, 2], keepdims=0)],
         [weight("k", 4, 3, 3, 3)], chw=(0, 3, 1, 2))
    case("nhwc_scaled", (6, 5, 3), [node("Div", "x c", "s"), node("Transpose", "s", "a", perm=[0, 3, 1, 2]), node("Conv", "a k", "b"),
                                    node("GlobalAveragePool", "b")],
         [numpy_helper.from_array(np.float32(0.3), "c"), weight("k", 4, 3, 3, 3)], chw=(0, 3, 1, 2))
    case("normalized_per_channel", (3, 6, 5), [node("Sub", "x m", "s"), node("Mul", "s c", "a"), node("Conv", "a k", "b"), node("Add", "b d")],
         [weight("m", 1, 3, 1, 1), weight("c", 3, 1, 1), weight("k", 4, 3, 3, 3), weight("d", 4, 1, 1)])
    case("constant_minus", (3, 6, 5), [node("Conv", "x k", "a"), node("Sub", "c a")],
         [weight("k", 4, 3, 3, 3), numpy_helper.from_array(np.float32(1), "c")])
    case("bias_for_one_of_two_readers", (3, 6, 5), [node("Conv", "x k", "a"), node("Add", "a c", "b"), node("Mul", "a b")],
         [weight("k", 4, 3, 1, 1), weight("c", 4, 1, 1)])
    case("clip_6", (3, 6, 5), [node("Clip", "x", min=0.0, max=6.0)], opset=6 + 1)
    case("clip_11", (3, 6, 5), [node("Clip", "x a b")],
         [numpy_helper.from_array(np.float32(0), "a"), numpy_helper.from_array(np.float32(6), "b")], opset=11)
    case("clip_open", (3, 6, 5), [node("Clip", ["x", "a"])], [numpy_helper.from_array(np.float32(0), "a")], opset=11)
    k = weight("k", 4, 3, 1, 1)
    case("softmax_12", (3, 1, 1), [node("Conv", "x k", "a"), node("Softmax", "a", "b", axis=1), node("Mul", "b a")], [k], opset=11)
    case("softmax_13", (3, 6, 5), [node("Conv", "x k", "a"), node("Softmax", "a", "b", axis=1), node("Mul", "b a")], [k])
    case("softmax_pixels_12", (3, 6, 5), [node("Conv", "x k", "a"), node("Reshape", "a s", "b"), node("Softmax", "b", "c", axis=2),
                                          node("Reshape", "c t", "d"), node("Mul", "d a")],
         [k, ints("s", 0, 4, 30), ints("t", -1, 4, 6, 5)], opset=11)
    case("softmax_rescaled", (3, 6, 5), [node("Conv", "x k", "a"), node("Softmax", "a", "b", axis=-3), node("Mul", "b f", "c"), node("Mul", "a c")],
         [k, numpy_helper.from_array(np.float32(4), "f")])
    case("mean_11", (3, 6, 5), [node("ReduceMean", "x", axes=[-1, 2], keepdims=1)], opset=11)
    case("mean_18", (3, 6, 5), [node("ReduceMean", "x a", keepdims=0)], [ints("a", 2, 3)], opset=18)
    case("batch_norm", (3, 6, 5), [node("Conv", "x k", "a"), node("BatchNormalization", "a s b m v", epsilon=1e-3), ],
         [k, weight("s", 4), weight("b", 4), weight("m", 4), numpy_helper.from_array(np.abs(rng.standard_normal(4)).astype(np.float32) + .5, "v")], opset=15)
    case("batch_norm_first", (3, 6, 5), [node("BatchNormalization", "x s b m v")],
         [weight("s", 3), weight("b", 3), weight("m", 3), numpy_helper.from_array(np.float32([1, 2, 3]), "v")], opset=9)
    case("pad_then_conv", (3, 6, 5), [node("Pad", "x p", "a"), node("Conv", "a w", pads=[0, 1, 0, 0])],
         [ints("p", 0, 0, 1, 0, 0, 0, 2, 1), w])
    case("pad_18", (3, 6, 5), [node("Pad", ["x", "p", "", "a"], "b"), node("Conv", "b w")], [ints("p", 1, 2), ints("a", -1), w], opset=18)
    case("pad_then_average", (3, 6, 5), [node("Pad", "x p", "a"), node("AveragePool", "a", kernel_shape=[3, 3])], [ints("p", 0, 0, 1, 1, 0, 0, 1, 1)])
    case("resize", (3, 4, 5), [node("Resize", ["x", "", "s"], mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor")],
         [numpy_helper.from_array(np.float32([1, 1, 2, 3]), "s")])
    case("resize_half_pixel", (3, 4, 5), [node("Resize", ["x", "", "s"], mode="nearest")],
         [numpy_helper.from_array(np.float32([1, 1, 3, 2]), "s")])
    case("split", (6, 4, 5), [node("Split", "x s", "a b", axis=1), node("Conv", "b k", "c"), node("Concat", "c a", axis=1)],
         [ints("s", 2, 4), weight("k", 3, 4, 1, 1)])
    case("split_18", (5, 4, 5), [node("Split", "x", "a b", axis=-3, num_outputs=2), node("Concat", "b a", axis=-3)], opset=18)
    case("slice_negative", (6, 4, 5), [node("Slice", "x b e a", "y")], [ints("b", -4), ints("e", 9223372036854775807), ints("a", 1)])
    case("slice_9", (6, 4, 5), [node("Slice", "x", starts=[1], ends=[3], axes=[1])], opset=9)
    case("many_parts", (2, 4, 4), [node("Concat", ["x"] * 11, axis=1)])
    case("two_outputs", (3, 6, 5), [node("Conv", "x k", "y"), node("GlobalAveragePool", "y", "z")], [k], outputs=("y", "z"))
    case("dead_branch", (3, 6, 5), [node("Conv", "x k"), node("Erf", "x", "unread")], [k])
    case("prelu", (3, 6, 5), [node("PRelu", "x s")], [weight("s", 3, 1, 1)])
    case("leaky", (3, 6, 5), [node("LeakyRelu", "x", alpha=0.1)])
    case("hard_swish_14", (3, 6, 5), [node("HardSwish", "x")], opset=14)
    case("hard_swish_spelled_out", (3, 6, 5), [node("Add", "x t", "a"), node("Clip", "a z s", "b"), node("Mul", "x b", "c"), node("Div", "c s")],
         [numpy_helper.from_array(np.float32(v), n) for n, v in (("t", 3), ("z", 0), ("s", 6))])
    case("hard_sigmoid_spelled_out", (3, 6, 5), [node("Add", "x t", "a"), node("Clip", "a z s", "b"), node("Div", "b s")],
         [numpy_helper.from_array(np.float32(v), n) for n, v in (("t", 3), ("z", 0), ("s", 6))])
    case("hard_sigmoid_gate", (3, 6, 5), [node("HardSigmoid", "x", "a", alpha=1 / 6, beta=.5), node("Mul", "a x")])
    case("gate_with_other", (3, 6, 5), [node("Conv", "x k", "a"), node("Sigmoid", "a", "b"), node("Conv", "x l", "c"), node("Mul", "b c")],
         [k, weight("l", 4, 3, 1, 1)])
    case("silu", (3, 6, 5), [node("Sigmoid", "x", "a"), node("Mul", "a x")])
    case("squeeze_excite", (4, 6, 5), [node("GlobalAveragePool", "x", "g"), node("Conv", "g a", "h"), node("Sigmoid", "h", "s"), node("Mul", "s x")],
         [weight("a", 4, 4, 1, 1)])
    case("shuffle", (6, 4, 5), [node("Reshape", "x s", "a"), node("Transpose", "a", "b", perm=[0, 2, 1, 3, 4]), node("Reshape", "b t")],
         [ints("s", 0, 3, 2, 4, 5), ints("t", -1, 6, 4, 5)])
    case("conv_1d", (3, 20), [node("Conv", "x w", "a", pads=[1, 2], strides=[2]), node("MaxPool", "a", kernel_shape=[2], strides=[2])], [weight("w", 4, 3, 5)])
    case("dropout_identity", (3, 6, 5), [node("Identity", "x", "a"), node("Dropout", "a", "b"), node("Conv", "b k")], [k])


def torch_models():
    import warnings

    import torch
    from torch import nn
    from torch.nn import functional as F

    warnings.filterwarnings("ignore")
    torch.manual_seed(0)

    class Excite(nn.Module):
        def __init__(self, c):
            super().__init__()
            self.a, self.b = nn.Linear(c, c // 2), nn.Linear(c // 2, c)

        def forward(self, x):
            w = F.adaptive_avg_pool2d(x, 1).flatten(1)
            return x * torch.sigmoid(self.b(F.relu(self.a(w)))).view(x.size(0), -1, 1, 1)

    class Residual(nn.Module):
        def __init__(self):
            super().__init__()
            self.c1, self.b1 = nn.Conv2d(3, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8)
            self.c2, self.b2, self.se = nn.Conv2d(8, 8, 3, 1, 1, bias=False), nn.BatchNorm2d(8), Excite(8)
            self.dw, self.pw, self.fc = nn.Conv2d(8, 8, 5, 1, 2, groups=8), nn.Conv2d(8, 16, 1), nn.Linear(16, 10)

        def forward(self, x):
            x = F.relu6(self.b1(self.c1(x)))
            x = F.relu(x + self.se(F.relu(self.b2(self.c2(x)))))
            x = F.hardswish(self.pw(F.silu(self.dw(F.max_pool2d(x, 3, 2, 1)))))
            return self.fc(torch.flatten(F.adaptive_avg_pool2d(x, 1), 1))

    class View(nn.Module):
        def __init__(self):
            super().__init__()
            self.c, self.f = nn.Conv2d(1, 4, 3), nn.Linear(4 * 13 * 13, 5)

        def forward(self, x):
            x = F.max_pool2d(F.leaky_relu(self.c(x)), 2)
            return self.f(x.view(x.size(0), -1))

    class Shuffle(nn.Module):
        def __init__(self):
            super().__init__()
            self.c, self.d = nn.Conv2d(3, 8, 1), nn.Conv2d(4, 4, 3, padding=1, groups=4)

        def forward(self, x):
            a, b = self.c(x).chunk(2, 1)
            x = torch.cat([a, self.d(b)], 1)
            n, c, h, w = x.shape
            return x.view(n, 2, c // 2, h, w).transpose(1, 2).contiguous().view(n, c, h, w).mean([2, 3])

    class Attention(nn.Module):
        def __init__(self):
            super().__init__()
            self.q, self.k = nn.Conv2d(3, 6, 3), nn.Conv2d(3, 6, 3)
            self.register_buffer("mean", torch.tensor([.4, .5, .6]).view(1, 3, 1, 1))

        def forward(self, x):
            x = F.pad((x - self.mean) / 0.25, (1, 1, 2, 0))
            return F.softmax(self.q(x), dim=1) * 6 * self.k(x)

    for name, model, shape in (("residual", Residual(), (3, 32, 32)), ("view", View(), (1, 28, 28)),
                               ("shuffle", Shuffle(), (3, 9, 7)), ("attention", Attention(), (3, 6, 5)),
                               ("layers_1d", nn.Sequential(nn.Conv1d(4, 8, 5, 2, 2), nn.BatchNorm1d(8), nn.ReLU(), nn.Flatten(), nn.Linear(200, 3)), (4, 50))):
        for module in model.modules():
            if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
                module.running_mean.normal_()
                module.running_var.uniform_(.5, 2)
        model.eval()
        x = torch.randn(N, *shape)
        for opset in (9, 13, 17):
            for fixed in (False, True):
                for train in (False, True):  # with batch norms as they are
                    tag = f"{name}_{opset}_{'fixed' if fixed else 'any'}{'_unfolded' if train else ''}"
                    torch.onnx.export(model, x if fixed else x[:1], f"{folder}/{tag}.onnx", opset_version=opset, dynamo=False,
                                      do_constant_folding=not train, input_names=["x"],
                                      training=torch.onnx.TrainingMode.PRESERVE if train else torch.onnx.TrainingMode.EVAL,
                                      dynamic_axes=None if fixed else {"x": {0: "n"}})
                    keep(tag, x.numpy())


def int8_models():
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

    class Reader(CalibrationDataReader):
        def __init__(self, shape):
            self.items = iter([{"x": rng.standard_normal((1, *shape)).astype(np.float32)} for _ in range(16)])

        def get_next(self):
            return next(self.items, None)

    def relu(a, b):
        return node("Relu", a, b)

    nets = {
        "chain": ((3, 12, 12), [node("Conv", "x w1 b1", "a", pads=[1, 1, 1, 1]), relu("a", "b"), node("Conv", "b w2 b2", "c", group=8, pads=[1, 1, 1, 1], strides=[2, 2]),
                                node("Clip", "c lo hi", "d"), node("Conv", "d w3", "y")],
                  [weight("w1", 8, 3, 3, 3), weight("b1", 8), weight("w2", 8, 1, 3, 3), weight("b2", 8), weight("w3", 16, 8, 1, 1),
                   numpy_helper.from_array(np.float32(0), "lo"), numpy_helper.from_array(np.float32(6), "hi")]),
        "residual": ((3, 12, 12), [node("Conv", "x w1 b1", "a", pads=[1, 1, 1, 1]), relu("a", "b"), node("Conv", "b w2 b2", "c", pads=[1, 1, 1, 1]),
                                   node("Add", "c b", "d"), relu("d", "e"), node("MaxPool", "e", "f", kernel_shape=[2, 2], strides=[2, 2]),
                                   node("GlobalAveragePool", "f", "g"), node("Flatten", "g", "h"), node("Gemm", "h w3 b3", "y", transB=1)],
                     [weight("w1", 8, 3, 3, 3), weight("b1", 8), weight("w2", 8, 8, 3, 3, scale=.2), weight("b2", 8), weight("w3", 5, 8), weight("b3", 5)]),
        "gates": ((3, 8, 8), [node("Conv", "x w1 b1", "a"), node("Sigmoid", "a", "s"), node("Mul", "a s", "b"), node("AveragePool", "b", "p", kernel_shape=[2, 2], strides=[2, 2]),
                              node("Conv", "p w2", "c"), node("Concat", "c p", "d", axis=1), node("HardSigmoid", "d", "e", alpha=1 / 6, beta=.5), node("Flatten", "e", "f"), node("MatMul", "f w3", "y")],
                  [weight("w1", 8, 3, 1, 1), weight("b1", 8), weight("w2", 4, 8, 1, 1), weight("w3", 192, 6)]),
    }
    for name, (shape, nodes, initializers) in nets.items():
        x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", *shape])
        graph = helper.make_graph(nodes, name, [x], [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)], initializers)
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), f"{folder}/{name}.float")
        for per_channel in (False, True):
            for activation in (QuantType.QUInt8, QuantType.QInt8):
                tag = f"{name}_{'channels' if per_channel else 'tensor'}_{'uint8' if activation == QuantType.QUInt8 else 'int8'}"
                quantize_static(f"{folder}/{name}.float", f"{folder}/{tag}.onnx", Reader(shape), quant_format=QuantFormat.QDQ, per_channel=per_channel,
                                activation_type=activation, weight_type=QuantType.QInt8)
                keep(tag, rng.standard_normal((N, *shape)).astype(np.float32))


{"operators": operators, "torch": torch_models, "int8": int8_models}[kind]()
print(count)
