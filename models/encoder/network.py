"""An encoder in the manner of BERT as an ONNX graph, in pieces as exporters write it: attention, GELU, biases apart."""

from dataclasses import dataclass

import numpy as np
from onnx import TensorProto, helper, numpy_helper


@dataclass(frozen=True)
class Size:
    tokens: int  # of the vocabulary
    length: int  # of a sequence
    width: int
    heads: int
    layers: int
    inner: int  # of the feed-forward layers
    classes: int


class Graph:
    """Nodes and constants under construction."""

    def __init__(self, rng, size):
        self.rng, self.size, self.nodes, self.constants = rng, size, [], []

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
        gamma = self.constant(f"{name}.gamma", self.rng.uniform(0.7, 1.3, self.size.width))
        beta = self.constant(f"{name}.beta", self.rng.normal(0, 0.1, self.size.width))
        return self.node("LayerNormalization", [x, gamma, beta], name, axis=-1, epsilon=1e-5)

    def gelu(self, x, name):
        """As exporters write it: x / 2 * (1 + erf(x / sqrt(2)))."""
        root, one, half = (self.constant(f"{name}.{i}", v) for i, v in enumerate([np.sqrt(2.0), 1.0, 0.5]))
        erf = self.node("Erf", [self.node("Div", [x, root], f"{name}.div")], f"{name}.erf")
        sum_ = self.node("Add", [erf, one], f"{name}.add")
        return self.node("Mul", [self.node("Mul", [x, sum_], f"{name}.mul"), half], name)

    def heads(self, x, name, perm):
        size = self.size
        shape = self.constant(f"{name}.shape", [0, size.length, size.heads, size.width // size.heads], np.int64)
        return self.node("Transpose", [self.node("Reshape", [x, shape], f"{name}.split")], name, perm=perm)

    def attention(self, x, name):
        width = self.size.width
        q, k, v = (self.linear(x, width, width, f"{name}.{part}", 1.5) for part in "qkv")
        q = self.heads(q, f"{name}.q_heads", [0, 2, 1, 3])
        k = self.heads(k, f"{name}.k_heads", [0, 2, 3, 1])
        v = self.heads(v, f"{name}.v_heads", [0, 2, 1, 3])
        scores = self.node("MatMul", [q, k], f"{name}.scores")
        scale = self.constant(f"{name}.root", np.sqrt(width // self.size.heads))
        scaled = self.node("Div", [scores, scale], f"{name}.scaled")
        mixed = self.node("MatMul", [self.node("Softmax", [scaled], f"{name}.softmax", axis=-1), v], f"{name}.mixed")
        joined = self.node("Transpose", [mixed], f"{name}.joined", perm=[0, 2, 1, 3])
        shape = self.constant(f"{name}.out_shape", [0, self.size.length, width], np.int64)
        return self.linear(self.node("Reshape", [joined, shape], f"{name}.rows"), width, width, f"{name}.out")

    def layer(self, x, name):
        x = self.node("Add", [x, self.attention(x, f"{name}.attention")], f"{name}.sum1")
        x = self.layer_norm(x, f"{name}.norm1")
        size = self.size
        inner = self.gelu(self.linear(x, size.inner, size.width, f"{name}.up"), f"{name}.gelu")
        x = self.node("Add", [x, self.linear(inner, size.width, size.inner, f"{name}.down")], f"{name}.sum2")
        return self.layer_norm(x, f"{name}.norm2")


def encoder(size, seed, head=None):
    """The network with random layers; without a head its output is the mean of the last layer's rows."""
    g = Graph(np.random.default_rng(seed), size)
    table = g.constant("embedding", g.rng.normal(0, 1, (size.tokens, size.width)))
    places = g.constant("positions", g.rng.normal(0, 0.3, (1, size.length, size.width)))
    x = g.node("Add", [g.node("Gather", [table, "tokens"], "embedded"), places], "placed")
    x = g.layer_norm(x, "norm")
    for i in range(size.layers):
        x = g.layer(x, f"layer{i}")
    output = g.node("ReduceMean", [x], "pooled", axes=[1], keepdims=0)
    shape = ["batch", size.width]
    if head is not None:
        weight, bias = g.constant("head.weight", head[0]), g.constant("head.bias", head[1])
        output, shape = g.node("Gemm", ["pooled", weight, bias], "logits"), ["batch", size.classes]
    graph = helper.make_graph(
        g.nodes,
        "encoder",
        [helper.make_tensor_value_info("tokens", TensorProto.INT64, ["batch", size.length])],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, shape)],
        g.constants,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
