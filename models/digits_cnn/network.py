"""A small convolutional network in numpy: forward, backward, and as an ONNX graph.

conv 3x3 -> ReLU -> conv 3x3 -> ReLU -> max pool -> [depthwise 3x3 -> ReLU -> pointwise] + shortcut -> ReLU -> average pool -> flatten -> dense
"""

import numpy as np
from onnx import TensorProto, helper, numpy_helper

CHANNELS, WIDE = 8, 16
SIDE = 8


def initial(rng):
    def normal(*shape, fan_in):
        return rng.normal(0, np.sqrt(2 / fan_in), shape)

    return {
        "conv1.weight": normal(CHANNELS, 1, 3, 3, fan_in=9),
        "conv1.bias": np.zeros(CHANNELS),
        "conv2.weight": normal(WIDE, CHANNELS, 3, 3, fan_in=9 * CHANNELS),
        "conv2.bias": np.zeros(WIDE),
        "depthwise.weight": normal(WIDE, 1, 3, 3, fan_in=9),
        "depthwise.bias": np.zeros(WIDE),
        "pointwise.weight": normal(WIDE, WIDE, 1, 1, fan_in=WIDE),
        "pointwise.bias": np.zeros(WIDE),
        "dense.weight": normal(10, WIDE * 4, fan_in=WIDE * 4),
        "dense.bias": np.zeros(10),
    }


def patches(x):
    """[b, c, h, w] -> [b, c, 9, h, w]: 3x3 neighbourhoods with a border of zeros."""
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    h, w = x.shape[2:]
    return np.stack([padded[:, :, i : i + h, j : j + w] for i in range(3) for j in range(3)], axis=2)


def unpatch(d):
    """The gradient of patches."""
    b, c, _, h, w = d.shape
    padded = np.zeros((b, c, h + 2, w + 2))
    for k in range(9):
        padded[:, :, k // 3 : k // 3 + h, k % 3 : k % 3 + w] += d[:, :, k]
    return padded[:, :, 1:-1, 1:-1]


def conv(x, weight, bias):
    columns = patches(x)
    kernel = weight.reshape(*weight.shape[:2], 9)
    return np.einsum("ock,bckhw->bohw", kernel, columns, optimize=True) + bias[:, None, None], columns


def conv_gradient(d, columns, weight):
    kernel = weight.reshape(*weight.shape[:2], 9)
    d_weight = np.einsum("bohw,bckhw->ock", d, columns, optimize=True).reshape(weight.shape)
    d_x = unpatch(np.einsum("ock,bohw->bckhw", kernel, d, optimize=True))
    return d_x, d_weight, d.sum((0, 2, 3))


def blocks(x):
    """[b, c, 2h, 2w] -> [b, c, h, w, 4]."""
    b, c, h, w = x.shape
    return x.reshape(b, c, h // 2, 2, w // 2, 2).transpose(0, 1, 2, 4, 3, 5).reshape(b, c, h // 2, w // 2, 4)


def unblock(d):
    b, c, h, w, _ = d.shape
    return d.reshape(b, c, h, w, 2, 2).transpose(0, 1, 2, 4, 3, 5).reshape(b, c, 2 * h, 2 * w)


def forward(x, p):
    """Logits, and what the gradient needs."""
    h1, columns1 = conv(x, p["conv1.weight"], p["conv1.bias"])
    a1 = np.maximum(h1, 0)
    h2, columns2 = conv(a1, p["conv2.weight"], p["conv2.bias"])
    four = blocks(np.maximum(h2, 0))
    pooled = four.max(-1)
    columns3 = patches(pooled)
    h3 = np.einsum("ck,bckhw->bchw", p["depthwise.weight"].reshape(-1, 9), columns3) + p["depthwise.bias"][:, None, None]
    a3 = np.maximum(h3, 0)
    point = p["pointwise.weight"][:, :, 0, 0]
    total = np.einsum("oc,bchw->bohw", point, a3, optimize=True) + p["pointwise.bias"][:, None, None] + pooled
    a4 = np.maximum(total, 0)
    flat = blocks(a4).mean(-1).reshape(len(x), -1)
    logits = flat @ p["dense.weight"].T + p["dense.bias"]
    return logits, (columns1, h1, columns2, h2, four, columns3, h3, a3, total, flat)


def gradient(d_logits, p, cache):
    columns1, h1, columns2, h2, four, columns3, h3, a3, total, flat = cache
    g = {"dense.weight": d_logits.T @ flat, "dense.bias": d_logits.sum(0)}
    d_flat = (d_logits @ p["dense.weight"]).reshape(-1, WIDE, 2, 2)
    d_total = unblock(np.repeat(d_flat[..., None] / 4, 4, -1)) * (total > 0)
    point = p["pointwise.weight"][:, :, 0, 0]
    g["pointwise.weight"] = np.einsum("bohw,bchw->oc", d_total, a3, optimize=True)[:, :, None, None]
    g["pointwise.bias"] = d_total.sum((0, 2, 3))
    d_h3 = np.einsum("oc,bohw->bchw", point, d_total, optimize=True) * (h3 > 0)
    g["depthwise.weight"] = np.einsum("bchw,bckhw->ck", d_h3, columns3).reshape(WIDE, 1, 3, 3)
    g["depthwise.bias"] = d_h3.sum((0, 2, 3))
    kernel = p["depthwise.weight"].reshape(-1, 9)
    d_pooled = d_total + unpatch(kernel[None, :, :, None, None] * d_h3[:, :, None])
    winner = four == four.max(-1, keepdims=True)
    d_h2 = unblock(winner / winner.sum(-1, keepdims=True) * d_pooled[..., None]) * (h2 > 0)
    d_a1, g["conv2.weight"], g["conv2.bias"] = conv_gradient(d_h2, columns2, p["conv2.weight"])
    _, g["conv1.weight"], g["conv1.bias"] = conv_gradient(d_a1 * (h1 > 0), columns1, p["conv1.weight"])
    return g


def to_onnx(p):
    """The float network with an open batch dimension."""

    def convolution(x, name, y, **attributes):
        return helper.make_node("Conv", [x, f"{name}.weight", f"{name}.bias"], [y], name=name, **attributes)

    three = {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}
    pool = {"kernel_shape": [2, 2], "strides": [2, 2]}
    nodes = [
        convolution("image", "conv1", "h1", **three),
        helper.make_node("Relu", ["h1"], ["a1"], name="relu1"),
        convolution("a1", "conv2", "h2", **three),
        helper.make_node("Relu", ["h2"], ["a2"], name="relu2"),
        helper.make_node("MaxPool", ["a2"], ["pooled"], name="max_pool", **pool),
        convolution("pooled", "depthwise", "h3", group=WIDE, **three),
        helper.make_node("Relu", ["h3"], ["a3"], name="relu3"),
        convolution("a3", "pointwise", "h4", kernel_shape=[1, 1]),
        helper.make_node("Add", ["h4", "pooled"], ["total"], name="shortcut"),
        helper.make_node("Relu", ["total"], ["a4"], name="relu4"),
        helper.make_node("AveragePool", ["a4"], ["mean"], name="average_pool", **pool),
        helper.make_node("Flatten", ["mean"], ["flat"], name="flatten"),
        helper.make_node("Gemm", ["flat", "dense.weight", "dense.bias"], ["logits"], name="dense", transB=1),
    ]
    graph = helper.make_graph(
        nodes,
        "digits_cnn",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 1, SIDE, SIDE])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 10])],
        [numpy_helper.from_array(value.astype(np.float32), name) for name, value in p.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
