"""The decoder of `graph.py` as a function to differentiate, and its training."""

import jax
import jax.numpy as jnp
import numpy as np


def rms_norm(x, weight, epsilon):
    return weight * x / jnp.sqrt(jnp.mean(x * x, -1, keepdims=True) + epsilon)


def logits(sizes, weights, tokens):
    """Of each next token of sequences [batch, s]: [batch, s, vocabulary]."""
    batch, s = tokens.shape
    cos, sin = (jnp.asarray(table[:s]) for table in sizes.rotation_tables())
    visible = jnp.tril(jnp.ones((s, s), bool))

    def heads(x, count):
        return x.reshape(batch, s, count, sizes.head_width).transpose(0, 2, 1, 3)

    def rotate(x):
        first, second = jnp.split(x, 2, -1)
        return x * cos + jnp.concatenate([-second, first], -1) * sin

    def attention(x, weight):
        q = rotate(heads(x @ weight("q"), sizes.heads))
        k = rotate(heads(x @ weight("k"), sizes.key_heads))
        v = heads(x @ weight("v"), sizes.key_heads)
        k, v = (jnp.repeat(part, sizes.heads // sizes.key_heads, 1) for part in (k, v))
        scores = jnp.where(visible, q @ k.swapaxes(2, 3) * sizes.head_width**-0.5, -jnp.inf)
        mixed = jax.nn.softmax(scores, -1) @ v
        return mixed.transpose(0, 2, 1, 3).reshape(batch, s, sizes.width) @ weight("o")

    x = weights["model.embed_tokens.weight"][tokens]
    for i in range(sizes.layers):
        layer = f"model.layers.{i}"
        x_normed = rms_norm(x, weights[f"{layer}.input_layernorm.weight"], sizes.epsilon)
        x = x + attention(x_normed, lambda part: weights[f"{layer}.self_attn.{part}_proj.weight"])  # noqa: B023
        x_normed = rms_norm(x, weights[f"{layer}.post_attention_layernorm.weight"], sizes.epsilon)
        gate, up, down = (weights[f"{layer}.mlp.{part}_proj.weight"] for part in ("gate", "up", "down"))
        x = x + (jax.nn.silu(x_normed @ gate) * (x_normed @ up)) @ down
    return rms_norm(x, weights["model.norm.weight"], sizes.epsilon) @ weights["lm_head.weight"]


def train(sizes, weights, batches, rate):
    """Adam with a linear warm-up and a cosine decay. A batch is tokens [batch, s + 1] and, for each of the s targets, whether it counts."""
    total, warm_up = len(batches), len(batches) // 20

    def loss(weights, tokens, counts):
        chosen = jax.nn.log_softmax(logits(sizes, weights, tokens[:, :-1]))
        chosen = jnp.take_along_axis(chosen, tokens[:, 1:, None], -1)[..., 0]
        return -(chosen * counts).sum() / counts.sum()

    @jax.jit
    def update(weights, mean, square, i, tokens, counts):
        value, slope = jax.value_and_grad(loss)(weights, tokens, counts)
        along = jnp.minimum(i / warm_up, 0.5 + 0.5 * jnp.cos(jnp.pi * i / total))
        mean = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, mean, slope)
        square = jax.tree.map(lambda s, g: 0.99 * s + 0.01 * g * g, square, slope)
        scaled = jax.tree.map(
            lambda m, s: (m / (1 - 0.9**i)) / (jnp.sqrt(s / (1 - 0.99**i)) + 1e-8), mean, square
        )
        weights = jax.tree.map(lambda w, d: w - rate * along * d, weights, scaled)
        return weights, mean, square, value

    weights = jax.tree.map(jnp.asarray, weights)
    mean = square = jax.tree.map(jnp.zeros_like, weights)
    for i, (tokens, counts) in enumerate(batches, 1):
        weights, mean, square, value = update(weights, mean, square, i, tokens, counts)
        if i % (total // 10) == 0:
            print(f"batch {i} of {total}: loss {value:.4f}", flush=True)
    return {name: np.asarray(weight) for name, weight in weights.items()}
