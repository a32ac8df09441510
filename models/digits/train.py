#!/usr/bin/env python3
"""Trains, quantises and checks the digits model; writes digits.imo, test_set.bin and accuracy.json beside this file.

A multilayer perceptron for scikit-learn's bundled 8x8 handwritten digits: 64 -> 48 ReLU -> 32 tanh -> 10 -> ArgMax. The floats end here: what is written is
integers under a model root, and the accuracy reported for int8 is that of the integer arithmetic (imo_format.py).
"""

import json
import sys
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import imo_format as imo

HERE = Path(__file__).resolve().parent
SEED = 20
SIZES = [64, 48, 32, 10]
TEST_IMAGES = 360
EPOCHS = 120
BATCH = 32
LEARNING_RATE = 2e-3
WEIGHT_DECAY = 1e-4
PIXEL_MAX = 16
# An int8 input is 15 * pixel - 120, so that the 17 grey values spread evenly over -120..=120 without rounding.
INPUT_STEP, INPUT_ZERO_POINT = 15, -120


# --- The float model ---------------------------------------------------------


def forward(x, layers):
    """Pre-activations and activations of the two hidden layers, and the logits."""
    (w1, b1), (w2, b2), (w3, b3) = layers
    h1 = x @ w1.T + b1
    a1 = np.maximum(h1, 0)
    h2 = a1 @ w2.T + b2
    a2 = np.tanh(h2)
    return h1, a1, h2, a2, a2 @ w3.T + b3


def train(x, y):
    """Cross entropy with Adam."""
    rng = np.random.default_rng(SEED)
    layers = [
        (rng.normal(0, np.sqrt(2 / k), (n, k)), np.zeros(n)) for k, n in zip(SIZES, SIZES[1:], strict=False)
    ]
    params = [p for layer in layers for p in layer]
    first, second = [np.zeros_like(p) for p in params], [np.zeros_like(p) for p in params]
    step = 0
    for _ in range(EPOCHS):
        order = rng.permutation(len(x))
        for start in range(0, len(x), BATCH):
            batch = order[start : start + BATCH]
            xb, yb = x[batch], y[batch]
            _, a1, _, a2, logits = forward(xb, layers)
            p = np.exp(logits - logits.max(axis=1, keepdims=True))
            p /= p.sum(axis=1, keepdims=True)
            p[np.arange(len(yb)), yb] -= 1
            d3 = p / len(yb)
            d2 = (d3 @ layers[2][0]) * (1 - a2**2)
            d1 = (d2 @ layers[1][0]) * (a1 > 0)
            grads = [d1.T @ xb, d1.sum(0), d2.T @ a1, d2.sum(0), d3.T @ a2, d3.sum(0)]
            step += 1
            for i, (param, grad) in enumerate(zip(params, grads, strict=True)):
                grad = grad + WEIGHT_DECAY * param
                first[i] = 0.9 * first[i] + 0.1 * grad
                second[i] = 0.999 * second[i] + 0.001 * grad**2
                rate = LEARNING_RATE * np.sqrt(1 - 0.999**step) / (1 - 0.9**step)
                param -= rate * first[i] / (np.sqrt(second[i]) + 1e-8)
    return layers


# --- Quantisation ------------------------------------------------------------


def affine(low, high):
    """Scale and zero point of int8 values that cover low..=high and represent 0 exactly."""
    low, high = min(low, 0.0), max(high, 0.0)
    scale = (high - low) / 255
    return scale, int(np.clip(round(-128 - low / scale), -128, 127))


def fixed_point(real):
    """multiplier and shift with multiplier / 2^shift = real; the multiplier has 31 significant bits."""
    mantissa, exponent = np.frexp(real)
    multiplier = int(round(mantissa * 2**31))
    if multiplier == 2**31:
        multiplier, exponent = 2**30, exponent + 1
    shift = 31 - int(exponent)
    assert 1 <= shift <= 62, f"the scale {real} has no multiplier and shift"
    return multiplier, shift


def quantise_layer(weights, bias, x_scale, y_scale):
    """Int8 weights with one scale an output channel, int32 bias at the accumulator's scale, and the requantisation of each channel."""
    # A channel that training switched off would have a scale too small for a shift of 62.
    w_scale = np.maximum(np.abs(weights).max(axis=1), 1e-3 * np.abs(weights).max()) / 127
    q_weights = np.clip(np.rint(weights / w_scale[:, None]), -127, 127).astype(np.int8)
    q_bias = np.rint(bias / (x_scale * w_scale)).astype(np.int32)
    pairs = [fixed_point(x_scale * s / y_scale) for s in w_scale]
    multiplier = np.array([m for m, _ in pairs], np.int32)
    shift = np.array([s for _, s in pairs], np.int8)
    return q_weights, q_bias, multiplier, shift


def quantise(layers, calibration):
    """The integer model. Ranges of activations come from the training images."""
    h1, a1, h2, a2, logits = forward(calibration, layers)
    (w1, b1), (w2, b2), (w3, b3) = layers
    x_scale = 1 / (INPUT_STEP * PIXEL_MAX)
    h1_scale, h1_zero = affine(h1.min(), h1.max())
    h2_scale = float(np.abs(h2).max()) / 127
    a2_scale = 1 / 127
    logits_scale, logits_zero = affine(logits.min(), logits.max())
    table = np.clip(np.rint(np.tanh(np.arange(-128, 128) * h2_scale) / a2_scale), -127, 127).astype(np.int8)

    model = imo.Model(input_spec=imo.TensorSpec(imo.INT8, (1, SIZES[0])))
    x = model.fully_connected(imo.INPUT, *quantise_layer(w1, b1, x_scale, h1_scale), INPUT_ZERO_POINT, h1_zero)
    x = model.clip(x, h1_zero, 127)
    x = model.fully_connected(x, *quantise_layer(w2, b2, h1_scale, h2_scale), h1_zero, 0)
    x = model.lookup(x, table)
    x = model.fully_connected(x, *quantise_layer(w3, b3, a2_scale, logits_scale), 0, logits_zero)
    model.arg_max(x)
    return model


# --- All of it ---------------------------------------------------------------


def main():
    digits = load_digits()
    pixels, labels = digits.data.astype(np.int64), digits.target
    train_x, test_x, train_y, test_y = train_test_split(
        pixels, labels, test_size=TEST_IMAGES, random_state=SEED, stratify=labels
    )
    layers = train(train_x / PIXEL_MAX, train_y)
    float_accuracy = float((forward(test_x / PIXEL_MAX, layers)[-1].argmax(axis=1) == test_y).mean())

    model = quantise(layers, train_x / PIXEL_MAX)
    inputs = (INPUT_STEP * test_x + INPUT_ZERO_POINT).astype(np.int8)
    outputs = [model.execute(image.reshape(1, -1)) for image in inputs]
    correct = sum(int(out[-1][0, 0]) == int(label) for out, label in zip(outputs, test_y, strict=True))
    int8_accuracy = correct / len(test_y)
    print(f"float {float_accuracy:.4f}, int8 {int8_accuracy:.4f} on {len(test_y)} test images")

    (HERE / "digits.imo").write_bytes(model.to_bytes())
    (HERE / "test_set.bin").write_bytes(imo.test_set(inputs, test_y))
    report = {
        "float": float_accuracy,
        "int8": int8_accuracy,
        "int8_correct": correct,
        "test_images": len(test_y),
        "model_root": model.root().hex(),
        "first_image": {
            "input_root": imo.tensor_root(inputs[0].reshape(1, -1)).hex(),
            "output_root": imo.tensor_root(outputs[0][-1]).hex(),
            "trace_root": imo.trace_root(outputs[0]).hex(),
        },
    }
    (HERE / "accuracy.json").write_text(json.dumps(report, indent=2) + "\n")
    if int8_accuracy < 0.95 or float_accuracy - int8_accuracy > 0.01:
        sys.exit("The int8 model must have 95 % accuracy and lose at most one point to the float model.")


if __name__ == "__main__":
    main()
