#!/usr/bin/env python3
"""A tiny LLaMA of the `transformers` library with random weights, exported by PyTorch, quantised by onnxruntime, its answers recorded.

What `graph.py` in the folder above writes by hand is written here by the exporter: a whole sequence, and a step with a cache whose mask follows from how many rows are in use.
"""

import sys
from pathlib import Path

import numpy as np
import onnx
import torch
from transformers import LlamaConfig, LlamaForCausalLM
from transformers.cache_utils import DynamicCache

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from graph import Session, quantise  # noqa: E402

SEED, VOCABULARY, LAYERS, LENGTH, CACHE, TESTED = 3, 32, 1, 12, 16, 24
CONFIG = LlamaConfig(
    vocab_size=VOCABULARY, hidden_size=32, intermediate_size=64, num_hidden_layers=LAYERS, num_attention_heads=4,
    num_key_value_heads=2, max_position_embeddings=64, initializer_range=0.3, attn_implementation="sdpa",
)  # fmt: skip
PARTS = [f"{i}.{part}" for i in range(LAYERS) for part in ("key", "value")]


class Prefill(torch.nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, input_ids):
        return self.model(input_ids=input_ids, use_cache=False).logits


class Step(torch.nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, input_ids, position_ids, length, *past):
        index = torch.arange(CACHE + 1)
        visible = (index < length) | (index == CACHE)
        mask = torch.where(visible, 0.0, torch.finfo(torch.float32).min)[None, None, None, :]
        cache = DynamicCache()
        for i in range(LAYERS):
            cache.update(past[2 * i], past[2 * i + 1], i)
        out = self.model(
            input_ids=input_ids, position_ids=position_ids, attention_mask=mask, past_key_values=cache, use_cache=True
        )
        rows = [row[:, :, -1:] for layer in out.past_key_values.layers for row in (layer.keys, layer.values)]
        return out.logits, *rows


def export(module, inputs, outputs):
    program = torch.onnx.export(
        module, tuple(inputs.values()), input_names=list(inputs), output_names=outputs, dynamo=True, opset_version=18
    )
    model = program.model_proto
    # Where in the Python code each node comes from is several times as long as the weights.
    model.ClearField("metadata_props")
    model.graph.ClearField("metadata_props")
    model.graph.ClearField("value_info")
    for node in model.graph.node:
        node.ClearField("metadata_props")
    return model


def tensors(inputs):
    return {name: torch.from_numpy(value) for name, value in inputs.items()}


def save(folder, inputs, session):
    """Inputs by name, one sample for each index of the first dimension, and what the session answers."""
    for kind, samples in (("inputs", inputs), ("outputs", [session.run(one) for one in inputs])):
        (folder / kind).mkdir(parents=True, exist_ok=True)
        for name in samples[0]:
            values = np.stack([sample[name] for sample in samples])
            np.save(folder / kind / f"{name}.npy", values.astype(np.int32 if values.dtype == np.int64 else np.float32))


def steps(session, rng):
    """Inputs of each step of a sequence of random tokens."""
    rows = {name: np.zeros((1, 2, CACHE, 8), np.float32) for name in PARTS}
    inputs = []
    for i in range(CACHE):
        numbers = {
            "input_ids": rng.integers(0, VOCABULARY, (1, 1)),
            "position_ids": np.array([[i]]),
            "length": np.array([i]),
        }
        inputs.append(numbers | {f"past_key_values.{name}": row.copy() for name, row in rows.items()})
        outputs = session.run(inputs[-1])
        for name, row in rows.items():
            row[:, :, i] = outputs[f"present.{name}"][:, :, 0]
    return inputs


def main():
    torch.manual_seed(SEED)
    rng = np.random.default_rng(SEED)
    llama = LlamaForCausalLM(CONFIG).eval()

    sequences = [{"input_ids": rng.integers(0, VOCABULARY, (1, LENGTH))} for _ in range(100 + TESTED)]
    model = export(Prefill(llama), tensors(sequences[0]), ["logits"])
    path = HERE / "prefill.qdq.int8.onnx"
    quantise(model, path, sequences[TESTED:])
    save(HERE / "samples/prefill", sequences[:TESTED], Session(path))

    empty = {f"past_key_values.{name}": np.zeros((1, 2, CACHE, 8), np.float32) for name in PARTS}
    first = {"input_ids": np.array([[1]]), "position_ids": np.array([[0]]), "length": np.array([0])} | empty
    model = export(Step(llama), tensors(first), ["logits", *(f"present.{name}" for name in PARTS)])
    session = Session(model)
    all_steps = [inputs for _ in range(10) for inputs in steps(session, rng)]
    path = HERE / "step.qdq.int8.onnx"
    quantise(model, path, all_steps)
    tested = [inputs for _ in range(2) for inputs in steps(Session(path), rng)]
    save(HERE / "samples/step", tested[:TESTED], Session(path))


if __name__ == "__main__":
    main()
