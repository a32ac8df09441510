#!/usr/bin/env python3
"""Trains the network of network.py, quantises it with onnxruntime in three ways, and records what onnxruntime answers on the test set."""

import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from network import SIDE, forward, gradient, initial, to_onnx
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

HERE = Path(__file__).resolve().parent
SEED = 20
TEST_IMAGES = 360
EPOCHS = 24
BATCH = 32
LEARNING_RATE = 3e-3
WEIGHT_DECAY = 1e-4
PIXEL_MAX = 16
# name: format, type of the activations
VARIANTS = {
    "digits_cnn.qdq.int8": (QuantFormat.QDQ, QuantType.QInt8),
    "digits_cnn.qdq.uint8": (QuantFormat.QDQ, QuantType.QUInt8),
    "digits_cnn.qoperator.uint8": (QuantFormat.QOperator, QuantType.QUInt8),
}


def train(x, y):
    """Cross entropy with Adam."""
    rng = np.random.default_rng(SEED)
    p = initial(rng)
    first, second = ({name: np.zeros_like(value) for name, value in p.items()} for _ in range(2))
    step = 0
    for _ in range(EPOCHS):
        order = rng.permutation(len(x))
        for start in range(0, len(x), BATCH):
            batch = order[start : start + BATCH]
            logits, cache = forward(x[batch], p)
            d = np.exp(logits - logits.max(axis=1, keepdims=True))
            d /= d.sum(axis=1, keepdims=True)
            d[np.arange(len(batch)), y[batch]] -= 1
            step += 1
            rate = LEARNING_RATE * np.sqrt(1 - 0.999**step) / (1 - 0.9**step)
            for name, g in gradient(d / len(batch), p, cache).items():
                g = g + WEIGHT_DECAY * p[name]
                first[name] = 0.9 * first[name] + 0.1 * g
                second[name] = 0.999 * second[name] + 0.001 * g**2
                p[name] = p[name] - rate * first[name] / (np.sqrt(second[name]) + 1e-8)
    return p


class Images(CalibrationDataReader):
    def __init__(self, images):
        self.batches = iter([{"image": images}])

    def get_next(self):
        return next(self.batches, None)


def answers(path, images):
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return session.run(None, {"image": images})[0]


def main():
    digits = load_digits()
    pixels = (digits.data / PIXEL_MAX).astype(np.float32).reshape(-1, 1, SIDE, SIDE)
    train_x, test_x, train_y, test_y = train_test_split(
        pixels, digits.target, test_size=TEST_IMAGES, random_state=SEED, stratify=digits.target
    )
    parameters = train(train_x.astype(np.float64), train_y)
    accuracy = {}
    with tempfile.TemporaryDirectory() as folder:
        float_path = Path(folder) / "float.onnx"
        model = to_onnx(parameters)
        onnx.checker.check_model(model, full_check=True)
        onnx.save(model, float_path)
        accuracy["float"] = float((answers(float_path, test_x).argmax(1) == test_y).mean())
        samples = HERE / "samples"
        samples.mkdir(exist_ok=True)
        np.save(samples / "inputs.npy", test_x)
        np.save(samples / "labels.npy", test_y.astype(np.uint8))
        for name, (form, activations) in VARIANTS.items():
            path = HERE / f"{name}.onnx"
            quantize_static(
                float_path, path, Images(train_x), quant_format=form, per_channel=True,
                activation_type=activations, weight_type=QuantType.QInt8,
            )  # fmt: skip
            logits = answers(path, test_x)
            np.save(samples / f"outputs.{name.removeprefix('digits_cnn.')}.npy", logits)
            accuracy[name] = float((logits.argmax(1) == test_y).mean())
    print(json.dumps(accuracy, indent=2))
    (HERE / "accuracy.json").write_text(json.dumps(accuracy, indent=2) + "\n")
    if min(accuracy.values()) < 0.97:
        sys.exit("Each model must have 97 % accuracy.")


if __name__ == "__main__":
    main()
