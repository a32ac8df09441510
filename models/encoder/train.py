#!/usr/bin/env python3
"""A small encoder in the manner of BERT: trained on a made-up task, written as ONNX in pieces (attention, GELU), quantised, its answers recorded.

Task: a sequence of 16 tokens out of 32; the class is which of four marker tokens comes most often. Random frozen embeddings, attention and feed-forward layers; the head is
fitted by least squares. So the activations have the spread of a transformer's, and the answers have a margin that quantisation can lose.
"""

import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

HERE = Path(__file__).resolve().parent
SEED = 7
TOKENS, LENGTH, WIDTH, HEADS, LAYERS, INNER, CLASSES = 32, 16, 64, 4, 2, 128, 4
FITTED, CALIBRATED, TESTED = 4000, 200, 200


def sequences(rng, count):
    """Tokens, and the marker (token 0 to 3) that comes most often by two or more."""
    x = rng.integers(CLASSES, TOKENS, (count, LENGTH))
    y = rng.integers(0, CLASSES, count)
    for row, label in zip(x, y, strict=True):
        places = rng.permutation(LENGTH)[:8]
        row[places[:5]] = label
        row[places[5:]] = rng.integers(0, CLASSES, 3)
    return x.astype(np.int64), y


class Graph:
    """Nodes and constants under construction."""

    def __init__(self, rng):
        self.rng, self.nodes, self.constants = rng, [], []

    def constant(self, name, value, dtype=np.float32):
        self.constants.append(numpy_helper.from_array(np.asarray(value, dtype), name))
        return name

    def node(self, operator, inputs, name, **attributes):
        self.nodes.append(helper.make_node(operator, inputs, [name], name=name, **attributes))
        return name

    def linear(self, x, n, k, name, gain=1.0):
        weight = self.constant(f"{name}.weight", self.rng.normal(0, gain / np.sqrt(k), (k, n)))
        bias = self.constant(f"{name}.bias", self.rng.normal(0, 0.1, n))
        return self.node("Add", [self.node("MatMul", [x, weight], f"{name}.product"), bias], name)

    def layer_norm(self, x, name):
        gamma = self.constant(f"{name}.gamma", self.rng.uniform(0.7, 1.3, WIDTH))
        beta = self.constant(f"{name}.beta", self.rng.normal(0, 0.1, WIDTH))
        return self.node("LayerNormalization", [x, gamma, beta], name, axis=-1, epsilon=1e-5)

    def gelu(self, x, name):
        """As exporters write it: x / 2 * (1 + erf(x / sqrt(2)))."""
        root, one, half = (self.constant(f"{name}.{i}", v) for i, v in enumerate([np.sqrt(2.0), 1.0, 0.5]))
        erf = self.node("Erf", [self.node("Div", [x, root], f"{name}.div")], f"{name}.erf")
        sum_ = self.node("Add", [erf, one], f"{name}.add")
        return self.node("Mul", [self.node("Mul", [x, sum_], f"{name}.mul"), half], name)

    def heads(self, x, name, perm):
        shape = self.constant(f"{name}.shape", [0, LENGTH, HEADS, WIDTH // HEADS], np.int64)
        return self.node("Transpose", [self.node("Reshape", [x, shape], f"{name}.split")], name, perm=perm)

    def attention(self, x, name):
        q, k, v = (self.linear(x, WIDTH, WIDTH, f"{name}.{part}", 1.5) for part in "qkv")
        q = self.heads(q, f"{name}.q_heads", [0, 2, 1, 3])
        k = self.heads(k, f"{name}.k_heads", [0, 2, 3, 1])
        v = self.heads(v, f"{name}.v_heads", [0, 2, 1, 3])
        scores = self.node("MatMul", [q, k], f"{name}.scores")
        scale = self.constant(f"{name}.root", np.sqrt(WIDTH // HEADS))
        scaled = self.node("Div", [scores, scale], f"{name}.scaled")
        mixed = self.node("MatMul", [self.node("Softmax", [scaled], f"{name}.softmax", axis=-1), v], f"{name}.mixed")
        joined = self.node("Transpose", [mixed], f"{name}.joined", perm=[0, 2, 1, 3])
        shape = self.constant(f"{name}.out_shape", [0, LENGTH, WIDTH], np.int64)
        return self.linear(self.node("Reshape", [joined, shape], f"{name}.rows"), WIDTH, WIDTH, f"{name}.out")

    def layer(self, x, name):
        x = self.node("Add", [x, self.attention(x, f"{name}.attention")], f"{name}.sum1")
        x = self.layer_norm(x, f"{name}.norm1")
        inner = self.gelu(self.linear(x, INNER, WIDTH, f"{name}.up"), f"{name}.gelu")
        x = self.node("Add", [x, self.linear(inner, WIDTH, INNER, f"{name}.down")], f"{name}.sum2")
        return self.layer_norm(x, f"{name}.norm2")


def encoder(head=None):
    """The network; without a head its output is the mean of the last layer's rows."""
    g = Graph(np.random.default_rng(SEED))
    table = g.constant("embedding", g.rng.normal(0, 1, (TOKENS, WIDTH)))
    places = g.constant("positions", g.rng.normal(0, 0.3, (1, LENGTH, WIDTH)))
    x = g.node("Add", [g.node("Gather", [table, "tokens"], "embedded"), places], "placed")
    x = g.layer_norm(x, "norm")
    for i in range(LAYERS):
        x = g.layer(x, f"layer{i}")
    output = g.node("ReduceMean", [x], "pooled", axes=[1], keepdims=0)
    shape = ["batch", WIDTH]
    if head is not None:
        weight, bias = g.constant("head.weight", head[0]), g.constant("head.bias", head[1])
        output, shape = g.node("Gemm", ["pooled", weight, bias], "logits"), ["batch", CLASSES]
    graph = helper.make_graph(
        g.nodes,
        "encoder",
        [helper.make_tensor_value_info("tokens", TensorProto.INT64, ["batch", LENGTH])],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, shape)],
        g.constants,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def answers(model, tokens):
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    return session.run(None, {"tokens": tokens})[0]


class Sequences(CalibrationDataReader):
    def __init__(self, tokens):
        self.batches = iter([{"tokens": tokens}])

    def get_next(self):
        return next(self.batches, None)


def main():
    rng = np.random.default_rng(SEED + 1)
    fit_x, fit_y = sequences(rng, FITTED)
    calibration, _ = sequences(rng, CALIBRATED)
    test_x, test_y = sequences(rng, TESTED)

    pooled = answers(encoder().SerializeToString(), fit_x).astype(np.float64)
    design = np.hstack([pooled, np.ones((len(pooled), 1))])
    target = np.eye(CLASSES)[fit_y] * 2 - 1
    solution = np.linalg.solve(design.T @ design + 0.1 * np.eye(WIDTH + 1), design.T @ target)
    model = encoder((solution[:-1], solution[-1]))
    onnx.checker.check_model(model, full_check=True)

    samples = HERE / "samples"
    samples.mkdir(exist_ok=True)
    np.save(samples / "inputs.npy", test_x.astype(np.int32))
    np.save(samples / "labels.npy", test_y.astype(np.uint8))
    accuracy = {"float": float((answers(model.SerializeToString(), test_x).argmax(1) == test_y).mean())}
    with tempfile.TemporaryDirectory() as folder:
        float_path = Path(folder) / "float.onnx"
        onnx.save(model, float_path)
        path = HERE / "encoder.qdq.int8.onnx"
        quantize_static(
            float_path, path, Sequences(calibration), quant_format=QuantFormat.QDQ, per_channel=True,
            activation_type=QuantType.QInt8, weight_type=QuantType.QInt8,
        )  # fmt: skip
        logits = answers(path, test_x)
    np.save(samples / "outputs.npy", logits)
    accuracy["encoder.qdq.int8"] = float((logits.argmax(1) == test_y).mean())
    print(json.dumps(accuracy, indent=2))
    (HERE / "accuracy.json").write_text(json.dumps(accuracy, indent=2) + "\n")
    if min(accuracy.values()) < 0.95:
        sys.exit("Both models must have 95 % accuracy.")


if __name__ == "__main__":
    main()
