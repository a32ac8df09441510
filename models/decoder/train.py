#!/usr/bin/env python3
"""A small decoder of LLaMA's kind: trained on a made-up language, written as ONNX twice (a whole prompt, one step with a cache), quantised, its answers recorded.

Language: a motif of 4 to 9 different tokens out of 48, repeated. After the first round each token follows from the ones before: the model has to find the last place
where the same tokens stood and say what came next, which needs attention, positions and mask to be right.
"""

import json
import sys
from pathlib import Path

import numpy as np

from graph import Generation, Session, Sizes, prefill, quantise, step
from network import train

HERE = Path(__file__).resolve().parent
SEED = 7
SIZES = Sizes(vocabulary=48, width=64, heads=4, key_heads=2, inner=128, layers=2, positions=48)
# Tokens of a prompt at most, and rows of a cache.
LENGTH = 32
BATCHES, BATCH, RATE = 600, 64, 3e-3
CALIBRATED, TESTED, STEPS = 100, 200, 8
GENERATIONS, PROMPT = 20, 12


def sequences(rng, count, length):
    """Tokens [count, length], and of each token but the first whether it follows from the ones before."""
    tokens, follows = np.zeros((count, length), np.int64), np.zeros((count, length - 1), bool)
    for i in range(count):
        motif = rng.permutation(SIZES.vocabulary)[: rng.integers(4, 10)]
        tokens[i] = np.resize(motif, length)
        follows[i] = np.arange(1, length) >= len(motif)
    return tokens, follows


def prompts(rng, count):
    """Inputs of the prefill, with made-up tokens behind each prompt, and the token that follows."""
    tokens, _ = sequences(rng, count, LENGTH + 1)
    inputs, labels = [], []
    for row in tokens:
        length = rng.integers(PROMPT, LENGTH + 1)
        labels.append(row[length])
        row = row.copy()
        row[length:] = rng.integers(0, SIZES.vocabulary, LENGTH + 1 - length)
        inputs.append({"input_ids": row[None, :LENGTH], "length": np.array([length])})
    return inputs, np.array(labels)


def accuracy(session, inputs, labels):
    answers = [session.run(one)["logits"].argmax() for one in inputs]
    return float((answers == labels).mean())


def walk(session, tokens):
    """The inputs and the logits of a generation that is fed these tokens one after the other."""
    generation, inputs, logits = Generation(session, SIZES, LENGTH), [], []
    for token in tokens:
        inputs.append(generation.inputs(token))
        logits.append(generation.feed(token)["logits"].ravel())
    return inputs, np.array(logits)


def step_accuracy(session, tokens, follows):
    right = np.array([walk(session, row[:-1])[1].argmax(1) == row[1:] for row in tokens])
    return float(right[follows].mean())


def generate(session, prompt):
    """The prompt and what greedy decoding makes of it, `LENGTH` tokens, and the logits of each step."""
    generation, tokens, logits = Generation(session, SIZES, LENGTH), list(prompt), []
    for i in range(LENGTH):
        logits.append(generation.feed(tokens[i])["logits"].ravel())
        if i + 1 >= len(tokens):
            tokens.append(logits[-1].argmax())
    return np.array(tokens[:LENGTH]), np.array(logits)


def save(folder, inputs, session):
    """Inputs by name, one sample for each index of the first dimension, and what the session answers."""
    outputs = [session.run(one) for one in inputs]
    for kind, samples in (("inputs", inputs), ("outputs", outputs)):
        (folder / kind).mkdir(parents=True, exist_ok=True)
        for name in samples[0]:
            values = np.stack([sample[name] for sample in samples])
            values = values.astype(np.int32 if values.dtype == np.int64 else np.float32)
            np.save(folder / kind / f"{name}.npy", values)


def main():
    rng = np.random.default_rng(SEED)
    batches = [sequences(rng, BATCH, LENGTH + 1) for _ in range(BATCHES)]
    weights = train(SIZES, SIZES.random_weights(rng), batches, RATE)
    whole, single = prefill(SIZES, weights, LENGTH), step(SIZES, weights, LENGTH)

    calibrated, _ = prompts(rng, CALIBRATED)
    tested, labels = prompts(rng, TESTED)
    path = HERE / "prefill.qdq.int8.onnx"
    quantise(whole, path, calibrated)
    quantised = Session(path)
    results = {
        "prefill.float": accuracy(Session(whole), tested, labels),
        "prefill.qdq.int8": accuracy(quantised, tested, labels),
    }
    save(HERE / "samples/prefill", tested, quantised)
    np.save(HERE / "samples/prefill/labels.npy", labels.astype(np.uint8))

    session, path = Session(single), HERE / "step.qdq.int8.onnx"
    calibrated = [inputs for row in sequences(rng, GENERATIONS, LENGTH)[0] for inputs in walk(session, row)[0]]
    quantise(single, path, calibrated)
    quantised = Session(path)
    tokens, follows = sequences(rng, GENERATIONS, LENGTH + 1)
    results |= {
        "step.float": step_accuracy(session, tokens, follows),
        "step.qdq.int8": step_accuracy(quantised, tokens, follows),
    }
    walks = [walk(quantised, row[:-1])[0] for row in tokens[:STEPS]]
    save(HERE / "samples/step", [steps[rng.integers(LENGTH)] for steps in walks], quantised)
    generated = [generate(quantised, row[:PROMPT]) for row in tokens]
    folder = HERE / "samples/generation"
    folder.mkdir(exist_ok=True)
    np.save(folder / "tokens.npy", np.stack([tokens for tokens, _ in generated]).astype(np.int32))
    np.save(folder / "logits.npy", np.stack([logits for _, logits in generated]))

    print(json.dumps(results, indent=2))
    (HERE / "accuracy.json").write_text(json.dumps(results, indent=2) + "\n")
    if min(results.values()) < 0.97:
        sys.exit("All models must have 97 % accuracy.")


if __name__ == "__main__":
    main()
