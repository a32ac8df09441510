#!/usr/bin/env python3
"""Writes the seeds of the ONNX importer's fuzz target: tiny networks, quantised by onnxruntime, that use every operator it reads.

Needs the packages of models/encoder/requirements.txt.
"""

import tempfile
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

FOLDER = Path(__file__).resolve().parent / "corpus" / "onnx"
IMAGE, ROWS = [1, 2, 5, 5], [1, 3, 8]
RNG = np.random.default_rng(11)
FUNCTIONS = [
    "Abs", "Elu", "Erf", "Exp", "Gelu", "HardSigmoid", "HardSwish", "LeakyRelu", "Neg", "Sigmoid", "Softplus", "Tanh",
]  # fmt: skip


class Net:
    """Nodes on `x`, each named after its result."""

    def __init__(self, shape, kind=TensorProto.FLOAT):
        self.shape, self.kind, self.nodes, self.constants = shape, kind, [], []

    def constant(self, value, dtype=np.float32):
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(value, dtype), name))
        return name

    def weights(self, *shape):
        return self.constant(RNG.normal(0, 0.5, shape))

    def ints(self, *values):
        return self.constant(values, np.int64)

    def node(self, operator, *inputs, outputs=1, **attributes):
        names = [f"v{len(self.nodes)}_{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(operator, inputs, names, **attributes))
        return names[0] if outputs == 1 else names

    def model(self, output, kind=TensorProto.FLOAT):
        graph = helper.make_graph(
            self.nodes, "g", [helper.make_tensor_value_info("x", self.kind, self.shape)],
            [helper.make_tensor_value_info(output, kind, None)], self.constants,
        )  # fmt: skip
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
        return onnx.shape_inference.infer_shapes(model)


class Inputs(CalibrationDataReader):
    def __init__(self, shape, kind):
        values = RNG.normal(0, 1, (4, *shape)).astype(np.float32)
        if kind == TensorProto.INT64:
            values = RNG.integers(0, 5, (4, *shape))
        self.samples = iter([{"x": value} for value in values])

    def get_next(self):
        return next(self.samples, None)


def write(name, net, output, **options):
    settings = {
        "quant_format": QuantFormat.QDQ, "per_channel": True,
        "activation_type": QuantType.QInt8, "weight_type": QuantType.QInt8, **options,
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "float.onnx"
        onnx.save(net.model(output), source)
        quantize_static(source, FOLDER / name, Inputs(net.shape, net.kind), **settings)
    model = onnx.load(FOLDER / name)
    # What the importer does not read only makes the file longer.
    del model.metadata_props[:], model.graph.value_info[:]
    onnx.save(model, FOLDER / name)


def images():
    net = Net(IMAGE)
    y = net.node("Relu", net.node("Conv", "x", net.weights(4, 2, 3, 3), net.weights(4), pads=[1, 1, 1, 1], strides=[2, 2]))
    y = net.node("Clip", net.node("Conv", y, net.weights(4, 1, 2, 2), group=4, dilations=[2, 2], pads=[1, 1, 1, 1]),
                 net.constant(0), net.constant(6))
    y = net.node("MaxPool", y, kernel_shape=[2, 2])
    y = net.node("AveragePool", y, kernel_shape=[2, 2], pads=[1, 1, 0, 0], count_include_pad=1)
    y = net.node("Add", net.node("GlobalAveragePool", y), net.node("GlobalMaxPool", y))
    return net, net.node("Gemm", net.node("Flatten", y), net.weights(3, 4), net.weights(3), transB=1)


def attention():
    net = Net(ROWS)
    y = net.node("LayerNormalization", "x", net.weights(8), net.weights(8), axis=-1)
    q, k, v = (net.node("Reshape", net.node("MatMul", y, net.weights(8, 8)), net.ints(0, 3, 2, 4)) for _ in "qkv")
    q, v = (net.node("Transpose", x, perm=[0, 2, 1, 3]) for x in (q, v))
    scores = net.node("MatMul", q, net.node("Transpose", k, perm=[0, 2, 3, 1]))
    y = net.node("MatMul", net.node("Softmax", net.node("Div", scores, net.constant(2)), axis=-1), v)
    y = net.node("Reshape", net.node("Transpose", y, perm=[0, 2, 1, 3]), net.ints(0, 3, 8))
    y = net.node("Mul", net.node("Sub", y, "x"), net.node("Sigmoid", y))
    y = net.node("ReduceMean", y, net.ints(1), keepdims=0)
    return net, net.node("MatMul", y, net.weights(8, 2))


def movement():
    net = Net([1, 4, 6])
    a, b = net.node("Split", "x", net.ints(2, 4), outputs=2, axis=2)
    b = net.node("Slice", b, net.ints(1), net.ints(3), net.ints(2))
    y = net.node("Concat", a, b, net.weights(1, 4, 1), axis=2)
    y = net.node("Pad", y, net.ints(0, 1, 0, 0, 0, 2))
    y = net.node("Squeeze", net.node("Unsqueeze", y, net.ints(1)), net.ints(0))
    y = net.node("Gather", y, net.constant(1, np.int64), axis=1)
    return net, net.node("MatMul", net.node("Dropout", net.node("Identity", y)), net.weights(7, 2))


def tokens():
    net = Net([1, 4], TensorProto.INT64)
    y = net.node("Add", net.node("Gather", net.weights(5, 6), "x"), net.weights(1, 4, 6))
    return net, net.node("Gemm", net.node("Reshape", y, net.ints(4, -1)), net.weights(6, 3), transA=0)


def functions():
    net = Net(ROWS)
    y = net.node("MatMul", "x", net.weights(8, 8))
    for function in FUNCTIONS:
        y = net.node("MatMul", net.node(function, y), net.weights(8, 8))
    for function in ["Log", "Sqrt", "Reciprocal"]:
        positive = net.node("Add", net.node("Sigmoid", y), net.constant(0.5))
        y = net.node("MatMul", net.node(function, positive), net.weights(8, 8))
    return net, net.node("Pow", y, net.constant(2))


def joined():
    """What the quantiser's operators read of matrices."""
    net = Net([3, 8])
    y = net.node("LeakyRelu", net.node("MatMul", "x", net.weights(8, 8)))
    y = net.node("Concat", net.node("Mul", net.node("Sigmoid", y), y), net.node("Add", y, "x"), axis=1)
    y = net.node("Softmax", net.node("Gemm", y, net.weights(16, 4), net.weights(4)), axis=-1)
    return net, net.node("MatMul", y, net.weights(4, 2))


def largest():
    """An ArgMax behind a hand-written quantisation, whose result is an integer."""
    net = Net([2, 3])
    scale, zero = net.constant(0.1), net.constant(3, np.int8)
    y = net.node("DequantizeLinear", net.node("QuantizeLinear", "x", scale, zero), scale, zero)
    y = net.node("Cast", net.node("ArgMax", y, axis=1, keepdims=0), to=TensorProto.INT32)
    onnx.save(net.model(y, TensorProto.INT32), FOLDER / "arg_max")


def computed():
    """Constants that follow from the graph: shapes, casts, sums."""
    net = Net(ROWS)
    length = net.node("Gather", net.node("Shape", "x"), net.constant(2, np.int64))
    scale = net.node("Sqrt", net.node("Cast", length, to=TensorProto.FLOAT))
    shape = net.node("Concat", net.ints(-1), net.node("Unsqueeze", length, net.ints(0)), axis=0)
    half = net.node("Constant", value=numpy_helper.from_array(np.float32(0.5)))
    y = net.node("Mul", net.node("Div", net.node("Reshape", net.node("MatMul", "x", net.weights(8, 8)), shape), scale), half)
    return net, net.node("MatMul", y, net.weights(8, 2))


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, make in [
        ("images", images), ("attention", attention), ("movement", movement), ("tokens", tokens), ("functions", functions),
        ("computed", computed), ("joined", joined),
    ]:  # fmt: skip
        net, output = make()
        write(f"{name}.qdq.int8", net, output)
        if name in ("attention", "images", "movement"):
            write(f"{name}.qdq.uint8", net, output, activation_type=QuantType.QUInt8, per_channel=False)
        if name in ("images", "joined"):
            write(f"{name}.qoperator", net, output, activation_type=QuantType.QUInt8, quant_format=QuantFormat.QOperator)
    largest()
    (FOLDER / "empty").write_bytes(b"")


if __name__ == "__main__":
    main()
