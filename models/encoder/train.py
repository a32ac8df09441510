#!/usr/bin/env python3
"""A small encoder in the manner of BERT: trained on a made-up task, quantised, its answers recorded.

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
from network import Size, encoder
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

HERE = Path(__file__).resolve().parent
SEED = 7
SIZE = Size(tokens=32, length=16, width=64, heads=4, layers=2, inner=128, classes=4)
FITTED, CALIBRATED, TESTED = 4000, 200, 200


def sequences(rng, count):
    """Tokens, and the marker (token 0 to 3) that comes most often by two or more."""
    x = rng.integers(SIZE.classes, SIZE.tokens, (count, SIZE.length))
    y = rng.integers(0, SIZE.classes, count)
    for row, label in zip(x, y, strict=True):
        places = rng.permutation(SIZE.length)[:8]
        row[places[:5]] = label
        row[places[5:]] = rng.integers(0, SIZE.classes, 3)
    return x.astype(np.int64), y


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

    pooled = answers(encoder(SIZE, SEED).SerializeToString(), fit_x).astype(np.float64)
    design = np.hstack([pooled, np.ones((len(pooled), 1))])
    target = np.eye(SIZE.classes)[fit_y] * 2 - 1
    solution = np.linalg.solve(design.T @ design + 0.1 * np.eye(SIZE.width + 1), design.T @ target)
    model = encoder(SIZE, SEED, (solution[:-1], solution[-1]))
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
