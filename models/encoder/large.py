#!/usr/bin/env python3
"""Writes an encoder of BERT's kind for measurements: 6 layers, 384 wide, 12 heads, 128 tokens, random weights. Float, and quantised by onnxruntime in two ways.

Usage: large.py FOLDER
"""

import sys
from pathlib import Path

import numpy as np
import onnx
from network import Size, encoder
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

SEED = 8
# The vocabulary is short because looking a token up costs the same in a long one.
SIZE = Size(tokens=1000, length=128, width=384, heads=12, layers=6, inner=1536, classes=2)
SEQUENCES = 8


class Sequences(CalibrationDataReader):
    def __init__(self, tokens):
        self.batches = iter([{"tokens": row[np.newaxis]} for row in tokens])

    def get_next(self):
        return next(self.batches, None)


def write(folder):
    """The inputs of a run, by name. uint8 activations with int8 weights are onnxruntime's faster form."""
    rng = np.random.default_rng(SEED + 1)
    tokens = rng.integers(0, SIZE.tokens, (SEQUENCES, SIZE.length))
    head = rng.normal(0, 1, (SIZE.width, SIZE.classes)), rng.normal(0, 0.1, SIZE.classes)
    original = folder / "onnxruntime_float.onnx"
    onnx.save(encoder(SIZE, SEED, head), original)
    for name, operators in [("model", None), ("onnxruntime_products_only", ["MatMul", "Gemm"])]:
        quantize_static(
            original, folder / f"{name}.onnx", Sequences(tokens), quant_format=QuantFormat.QDQ, per_channel=True,
            op_types_to_quantize=operators, activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
        )  # fmt: skip
    return {"tokens": tokens[:1]}


def main():
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, value in write(folder).items():
        np.save(folder / f"{name}.npy", value)


if __name__ == "__main__":
    main()
