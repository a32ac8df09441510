"""Model files, integer semantics and commitments, written again from docs/protocol.md and docs/operators.md.

The Rust crates are the reference; this second implementation checks them: both must give the same model root, outputs and trace.
"""

import hashlib
import struct
from dataclasses import dataclass, field

import numpy as np

INT8, INT32 = 1, 2
DTYPES = {INT8: np.dtype("int8"), INT32: np.dtype("<i4")}
INPUT = ("input", 0)
OPERAND_KINDS = {"input": 1, "node": 2, "constant": 3}
FULLY_CONNECTED, CLIP, LOOKUP, ARG_MAX = 1, 2, 3, 4
TILE_BYTES = 512
ALIGNMENT = 64
PAD = bytes(32)
TENSOR_TILE, GRAPH_NODE, CONSTANT, TRACE_ENTRY = 1, 2, 3, 4


@dataclass(frozen=True)
class TensorSpec:
    element: int
    shape: tuple

    def encode(self):
        return struct.pack("<BB4I", self.element, len(self.shape), *self.shape, *[0] * (4 - len(self.shape)))


def spec_of(array):
    element = {np.dtype("int8"): INT8, np.dtype("int32"): INT32}[array.dtype]
    return TensorSpec(element, array.shape)


# --- Commitments -------------------------------------------------------------


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def leaf(domain, index, data):
    return sha256(b"\0", struct.pack("<BI", domain, index), data)


def parent(left, right):
    return PAD if left == right == PAD else sha256(b"\1", left, right)


def root(leaves):
    """The root of the tree over leaves, padded to a power of two."""
    level = list(leaves) or [PAD]
    while len(level) > 1:
        level += [PAD] * (len(level) % 2)
        level = [parent(left, right) for left, right in zip(level[::2], level[1::2], strict=True)]
    return level[0]


def tensor_root(array):
    data = array.astype(DTYPES[spec_of(array).element]).tobytes()
    tiles = [data[at : at + TILE_BYTES] for at in range(0, len(data), TILE_BYTES)]
    return root(leaf(TENSOR_TILE, index, tile) for index, tile in enumerate(tiles))


def trace_root(outputs):
    return root(leaf(TRACE_ENTRY, i, tensor_root(output)) for i, output in enumerate(outputs))


# --- The model ---------------------------------------------------------------


@dataclass
class Node:
    operator: int
    operands: list
    output: TensorSpec
    attributes: tuple = ()

    def encode(self):
        operands = [struct.pack("<B3xI", OPERAND_KINDS[kind], index) for kind, index in self.operands]
        return b"".join([
            struct.pack("<BBxx", self.operator, len(self.operands)),
            b"".join(operands).ljust(48, b"\0"),
            self.output.encode(),
            struct.pack(f"<{len(self.attributes)}b", *self.attributes).ljust(58, b"\0"),
        ])


@dataclass
class Model:
    input_spec: TensorSpec
    nodes: list = field(default_factory=list)
    constants: list = field(default_factory=list)

    def constant(self, array):
        self.constants.append(array)
        return ("constant", len(self.constants) - 1)

    def node(self, *args):
        self.nodes.append(Node(*args))
        return ("node", len(self.nodes) - 1)

    def spec(self, operand):
        kind, index = operand
        return self.input_spec if kind == "input" else self.nodes[index].output

    def fully_connected(self, x, weights, bias, multiplier, shift, x_zero_point, y_zero_point):
        operands = [x, *(self.constant(array) for array in (weights, bias, multiplier, shift))]
        output = TensorSpec(INT8, (*self.spec(x).shape[:-1], len(bias)))
        return self.node(FULLY_CONNECTED, operands, output, (x_zero_point, y_zero_point, -128, 127))

    def clip(self, x, low, high):
        return self.node(CLIP, [x], self.spec(x), (low, high))

    def lookup(self, x, table):
        return self.node(LOOKUP, [x, self.constant(table)], self.spec(x))

    def arg_max(self, x):
        return self.node(ARG_MAX, [x], TensorSpec(INT32, (*self.spec(x).shape[:-1], 1)))

    def root(self):
        graph = root(leaf(GRAPH_NODE, i, node.encode()) for i, node in enumerate(self.nodes))
        weights = root(
            leaf(CONSTANT, i, spec_of(array).encode() + tensor_root(array)) for i, array in enumerate(self.constants)
        )
        counts = struct.pack("<HII", 1, len(self.nodes), len(self.constants))
        return sha256(b"imo:model:v1", counts, graph, weights, self.input_spec.encode())

    def to_bytes(self):
        file = b"".join([
            b"IMOMODEL",
            struct.pack("<HHII", 2, 1, len(self.nodes), len(self.constants)),
            self.input_spec.encode(),
            *(node.encode() for node in self.nodes),
            *(spec_of(array).encode() for array in self.constants),
        ])
        for array in self.constants:
            file += bytes(-len(file) % ALIGNMENT) + array.astype(DTYPES[spec_of(array).element]).tobytes()
        return file

    def execute(self, x):
        """The output of every node."""
        outputs = []
        for node in self.nodes:
            sources = {"input": [x], "node": outputs, "constant": self.constants}
            operands = [sources[kind][index] for kind, index in node.operands]
            outputs.append(EXECUTE[node.operator](node.attributes, *operands))
        return outputs


# --- The operators -----------------------------------------------------------


def fully_connected(attributes, x, weights, bias, multiplier, shift):
    x_zero_point, y_zero_point, low, high = attributes
    accumulator = (x.astype(np.int64) - x_zero_point) @ weights.T.astype(np.int64) + bias
    accumulator = np.clip(accumulator, -(2**31), 2**31 - 1)
    shift = np.clip(shift.astype(np.int64), 1, 62)
    scaled = (accumulator * multiplier.astype(np.int64) + (np.int64(1) << (shift - 1))) >> shift
    return np.clip(scaled + y_zero_point, low, high).astype(np.int8)


def clip(attributes, x):
    low, high = attributes
    return np.clip(x, low, high).astype(np.int8)


def lookup(_attributes, x, table):
    return table[x.astype(np.int64) + 128]


def arg_max(_attributes, x):
    # numpy returns the first of equal maxima, as the operator does.
    return x.argmax(axis=-1, keepdims=True).astype(np.int32)


EXECUTE = {FULLY_CONNECTED: fully_connected, CLIP: clip, LOOKUP: lookup, ARG_MAX: arg_max}


# --- The test set ------------------------------------------------------------


def test_set(inputs, labels):
    """Magic, count u32, bytes of an input u32, then each input followed by its label byte."""
    header = b"IMOTESTS" + struct.pack("<II", len(inputs), inputs.shape[1])
    return header + b"".join(image.tobytes() + bytes([label]) for image, label in zip(inputs, labels, strict=True))
