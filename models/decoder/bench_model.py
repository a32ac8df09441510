#!/usr/bin/env python3
"""Writes a larger decoder step with random weights, as float32 and quantised (QDQ, uint8 activations, int8 weights), to measure runtimes with.

Beside them goes `inputs.npz`, the inputs of a step in the middle of a generation, by name.
"""

import argparse
from pathlib import Path

import numpy as np
import onnx
from onnxruntime.quantization import QuantType

from graph import Generation, Session, Sizes, quantise, step

SEED = 11


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where decoder_step.float.onnx and decoder_step.qdq.u8s8.onnx are written")
    parser.add_argument("--layers", type=int, default=6)
    parser.add_argument("--width", type=int, default=384)
    parser.add_argument("--heads", type=int, default=6)
    parser.add_argument("--key-heads", type=int, default=2)
    parser.add_argument("--inner", type=int, default=1024)
    parser.add_argument("--vocabulary", type=int, default=4096)
    parser.add_argument("--cache", type=int, default=128)
    given = parser.parse_args()
    sizes = Sizes(
        vocabulary=given.vocabulary, width=given.width, heads=given.heads, key_heads=given.key_heads,
        inner=given.inner, layers=given.layers, positions=given.cache + 1,
    )  # fmt: skip
    rng = np.random.default_rng(SEED)
    model = step(sizes, sizes.random_weights(rng), given.cache)
    given.folder.mkdir(parents=True, exist_ok=True)
    onnx.save(model, given.folder / "decoder_step.float.onnx")

    generation = Generation(Session(model), sizes, given.cache)
    calibration = []
    for token in rng.integers(0, sizes.vocabulary, given.cache // 2):
        calibration.append(generation.inputs(token))
        generation.feed(token)
    quantised = given.folder / "decoder_step.qdq.u8s8.onnx"
    quantise(model, quantised, calibration, QuantType.QUInt8)
    inputs = generation.inputs(rng.integers(sizes.vocabulary))
    np.savez(given.folder / "inputs.npz", **inputs)

    wanted = Session(model).run(inputs)["logits"].ravel()
    found = Session(quantised).run(inputs)["logits"].ravel()
    cosine = wanted @ found / np.sqrt((wanted @ wanted) * (found @ found))
    weights = sum(int(np.prod(shape)) for shape in sizes.weights().values())
    print(f"{weights:,} weights; the quantised step's logits have cosine {cosine:.4f} with the float step's")


if __name__ == "__main__":
    main()
