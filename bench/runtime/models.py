#!/usr/bin/env python3
"""Writes the models that are measured, a folder each: `model.onnx`, which all runtimes read, the inputs of a run in `inputs/NAME.npy`, and other forms of the model, which
onnxruntime runs for comparison, in `onnxruntime_*.onnx`.

Usage: models.py FOLDER
"""

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx

MODELS = Path(__file__).resolve().parents[2] / "models"


def module(model, name):
    """A script of a model's folder, which finds its neighbours."""
    path = MODELS / model / f"{name}.py"
    sys.path.insert(0, str(path.parent))
    spec = importlib.util.spec_from_file_location(f"{model}_{name}", path)
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    sys.path.pop(0)
    return loaded


def digits_cnn(folder):
    """As it was trained; its float form has random weights, for the trained ones were not kept."""
    network = module("digits_cnn", "network")
    onnx.save(network.to_onnx(network.initial(np.random.default_rng(1))), folder / "onnxruntime_float.onnx")
    shutil.copy(MODELS / "digits_cnn" / "digits_cnn.qdq.uint8.onnx", folder / "model.onnx")
    images = np.load(MODELS / "digits_cnn" / "samples" / "inputs.npy")
    return {"image": images[:1]}


def bert6(folder):
    return module("encoder", "large").write(folder)


def decoder_step(folder):
    subprocess.run([sys.executable, MODELS / "decoder" / "bench_model.py", folder], check=True)
    (folder / "decoder_step.qdq.u8s8.onnx").rename(folder / "model.onnx")
    (folder / "decoder_step.float.onnx").rename(folder / "onnxruntime_float.onnx")
    inputs = folder / "inputs.npz"
    with np.load(inputs) as arrays:
        values = dict(arrays)
    inputs.unlink()
    return values


def main():
    folder = Path(sys.argv[1])
    for make in [digits_cnn, bert6, decoder_step]:
        model = folder / make.__name__
        shutil.rmtree(model, ignore_errors=True)
        (model / "inputs").mkdir(parents=True)
        for name, value in make(model).items():
            np.save(model / "inputs" / f"{name}.npy", value)


if __name__ == "__main__":
    main()
