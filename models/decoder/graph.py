"""A decoder of LLaMA's kind as ONNX, in the pieces in which exporters of PyTorch models write it, and its quantisation.

RMSNorm, rotary position embedding, the causal mask, the repetition of key heads and SiLU are chains of small operators; nothing is fused. Names are those of the
checkpoints and graphs of LLaMA models.
"""

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

MASKED = np.float32(np.finfo(np.float32).min)


@dataclass(frozen=True)
class Sizes:
    """`key_heads` divides `heads`, `heads` divides `width`, and a head is of an even width."""

    vocabulary: int
    width: int
    heads: int
    key_heads: int
    inner: int
    layers: int
    # Rows of the tables of cosines and sines.
    positions: int
    epsilon: float = 1e-5
    theta: float = 10_000.0

    @property
    def head_width(self):
        return self.width // self.heads

    @property
    def key_width(self):
        return self.key_heads * self.head_width

    def weights(self):
        """Shapes of all weights, matrices as [inputs, outputs]."""
        shapes = {"model.embed_tokens.weight": (self.vocabulary, self.width)}
        for i in range(self.layers):
            layer = f"model.layers.{i}"
            shapes |= {
                f"{layer}.input_layernorm.weight": (self.width,),
                f"{layer}.self_attn.q_proj.weight": (self.width, self.width),
                f"{layer}.self_attn.k_proj.weight": (self.width, self.key_width),
                f"{layer}.self_attn.v_proj.weight": (self.width, self.key_width),
                f"{layer}.self_attn.o_proj.weight": (self.width, self.width),
                f"{layer}.post_attention_layernorm.weight": (self.width,),
                f"{layer}.mlp.gate_proj.weight": (self.width, self.inner),
                f"{layer}.mlp.up_proj.weight": (self.width, self.inner),
                f"{layer}.mlp.down_proj.weight": (self.inner, self.width),
            }
        shapes |= {"model.norm.weight": (self.width,), "lm_head.weight": (self.width, self.vocabulary)}
        return shapes

    def random_weights(self, rng):
        """Ones for norms, and else such that a matrix keeps the deviation of what it is multiplied with."""
        return {
            name: np.ones(shape, np.float32)
            if len(shape) == 1
            else rng.normal(0, 1 if "embed" in name else shape[0] ** -0.5, shape).astype(np.float32)
            for name, shape in self.weights().items()
        }

    def rotation_tables(self):
        """Cosines and sines [positions, head width], both halves alike."""
        frequencies = self.theta ** -(np.arange(0, self.head_width, 2) / self.head_width)
        angles = np.arange(self.positions)[:, None] * frequencies
        angles = np.concatenate([angles, angles], 1)
        return np.cos(angles).astype(np.float32), np.sin(angles).astype(np.float32)


class Graph:
    """Nodes and constants under construction."""

    def __init__(self, sizes, weights):
        self.sizes, self.nodes, self.constants = sizes, [], {}
        for name, value in weights.items():
            self.constant(name, value)
        cos, sin = sizes.rotation_tables()
        self.constant("model.rotary_emb.cos_cached", cos)
        self.constant("model.rotary_emb.sin_cached", sin)

    def constant(self, name, value, dtype=np.float32):
        if name not in self.constants:
            self.constants[name] = numpy_helper.from_array(np.asarray(value, dtype), name)
        return name

    def ints(self, *values):
        return self.constant("ints." + "_".join(map(str, values)), values, np.int64)

    def node(self, name, operator, *inputs, **attributes):
        self.nodes.append(helper.make_node(operator, inputs, [f"{name}.out"], name=name, **attributes))
        return f"{name}.out"

    def linear(self, name, x, weight):
        return self.node(f"{name}/MatMul", "MatMul", x, weight)

    def rms_norm(self, name, x, weight):
        square = self.node(f"{name}/Pow", "Pow", x, self.constant("two", 2.0))
        mean = self.node(f"{name}/ReduceMean", "ReduceMean", square, axes=[-1])
        above_zero = self.node(f"{name}/Add", "Add", mean, self.constant("epsilon", self.sizes.epsilon))
        root = self.node(f"{name}/Sqrt", "Sqrt", above_zero)
        inverse = self.node(f"{name}/Div", "Div", self.constant("one", 1.0), root)
        normed = self.node(f"{name}/Mul", "Mul", x, inverse)
        return self.node(f"{name}/Mul_1", "Mul", weight, normed)

    def split_heads(self, name, x, heads):
        split = self.node(f"{name}/Reshape", "Reshape", x, self.ints(1, -1, heads, self.sizes.head_width))
        return self.node(f"{name}/Transpose", "Transpose", split, perm=[0, 2, 1, 3])

    def rotations(self, positions):
        """Cosine and sine of positions [1, s] as [1, 1, s, head width]."""
        name = "/model/rotary_emb"
        gathered = [
            self.node(f"{name}/Gather_{part}", "Gather", f"model.rotary_emb.{part}_cached", positions, axis=0)
            for part in ("cos", "sin")
        ]
        return [self.node(f"{name}/Unsqueeze_{i}", "Unsqueeze", x, self.ints(1)) for i, x in enumerate(gathered)]

    def rotary_embedding(self, name, x, rotations):
        """x * cos + rotate_half(x) * sin"""
        half, last = self.sizes.head_width // 2, np.iinfo(np.int64).max
        first = self.node(f"{name}/Slice", "Slice", x, self.ints(0), self.ints(half), self.ints(3), self.ints(1))
        second = self.node(f"{name}/Slice_1", "Slice", x, self.ints(half), self.ints(last), self.ints(3), self.ints(1))
        negative = self.node(f"{name}/Neg", "Neg", second)
        rotated = self.node(f"{name}/Concat", "Concat", negative, first, axis=-1)
        along = self.node(f"{name}/Mul", "Mul", x, rotations[0])
        across = self.node(f"{name}/Mul_1", "Mul", rotated, rotations[1])
        return self.node(f"{name}/Add", "Add", along, across)

    def repeat_heads(self, name, x, keys):
        """Each key head for all the query heads that share it."""
        sizes = self.sizes
        repeats = sizes.heads // sizes.key_heads
        if repeats == 1:
            return x
        apart = self.node(f"{name}/Unsqueeze", "Unsqueeze", x, self.ints(2))
        shape = self.ints(1, sizes.key_heads, repeats, keys, sizes.head_width)
        repeated = self.node(f"{name}/Expand", "Expand", apart, shape)
        return self.node(f"{name}/Reshape", "Reshape", repeated, self.ints(1, sizes.heads, keys, sizes.head_width))

    def attention(self, layer, x, rotations, mask, cache, keys):
        """The result and the new keys and values [1, key heads, s, head width]. `cache` holds the old ones, which come before them."""
        sizes, name = self.sizes, f"/model/layers.{layer}/self_attn"
        weight = f"model.layers.{layer}.self_attn.{{}}_proj.weight".format
        q, k, v = (self.linear(f"{name}/{part}_proj", x, weight(part)) for part in "qkv")
        q = self.split_heads(f"{name}/q", q, sizes.heads)
        k = self.split_heads(f"{name}/k", k, sizes.key_heads)
        v = self.split_heads(f"{name}/v", v, sizes.key_heads)
        q = self.rotary_embedding(f"{name}/q_rotary", q, rotations)
        k = self.rotary_embedding(f"{name}/k_rotary", k, rotations)
        new = (k, v)
        if cache:
            k = self.node(f"{name}/k_cache/Concat", "Concat", cache[0], k, axis=2)
            v = self.node(f"{name}/v_cache/Concat", "Concat", cache[1], v, axis=2)
        k = self.repeat_heads(f"{name}/k_repeat", k, keys)
        v = self.repeat_heads(f"{name}/v_repeat", v, keys)
        k = self.node(f"{name}/Transpose", "Transpose", k, perm=[0, 1, 3, 2])
        scores = self.node(f"{name}/MatMul", "MatMul", q, k)
        scale = self.constant("attention_scale", sizes.head_width**-0.5)
        scores = self.node(f"{name}/Mul", "Mul", scores, scale)
        scores = self.node(f"{name}/Add", "Add", scores, mask)
        weights = self.node(f"{name}/Softmax", "Softmax", scores, axis=-1)
        mixed = self.node(f"{name}/MatMul_1", "MatMul", weights, v)
        joined = self.node(f"{name}/Transpose_1", "Transpose", mixed, perm=[0, 2, 1, 3])
        joined = self.node(f"{name}/Reshape", "Reshape", joined, self.ints(1, -1, sizes.width))
        return self.linear(f"{name}/o_proj", joined, weight("o")), new

    def mlp(self, layer, x):
        name = f"/model/layers.{layer}/mlp"
        weight = f"model.layers.{layer}.mlp.{{}}_proj.weight".format
        gate = self.linear(f"{name}/gate_proj", x, weight("gate"))
        gate = self.node(f"{name}/act_fn/Mul", "Mul", gate, self.node(f"{name}/act_fn/Sigmoid", "Sigmoid", gate))
        gated = self.node(f"{name}/Mul", "Mul", gate, self.linear(f"{name}/up_proj", x, weight("up")))
        return self.linear(f"{name}/down_proj", gated, weight("down"))

    def layers(self, x, rotations, mask, caches, keys):
        """The last layer's rows after their norm, and the new keys and values of each layer."""
        news = []
        for i in range(self.sizes.layers):
            name, weight = f"/model/layers.{i}", f"model.layers.{i}.{{}}.weight".format
            normed = self.rms_norm(f"{name}/input_layernorm", x, weight("input_layernorm"))
            attended, new = self.attention(i, normed, rotations, mask, caches[i] if caches else None, keys)
            news.append(new)
            x = self.node(f"{name}/Add", "Add", x, attended)
            normed = self.rms_norm(f"{name}/post_attention_layernorm", x, weight("post_attention_layernorm"))
            x = self.node(f"{name}/Add_1", "Add", x, self.mlp(i, normed))
        return self.rms_norm("/model/norm", x, "model.norm.weight"), news

    def embedding(self):
        return self.node("/model/embed_tokens/Gather", "Gather", "model.embed_tokens.weight", "input_ids", axis=0)

    def mask(self, visible):
        """0 where `visible`, and else the least float."""
        return self.node("/model/Where", "Where", visible, self.constant("zero", 0.0), self.constant("masked", MASKED))

    def model(self, name, inputs, outputs):
        ints = {"input_ids", "position_ids", "length"}
        kind = lambda name: TensorProto.INT64 if name in ints else TensorProto.FLOAT  # noqa: E731
        graph = helper.make_graph(
            self.nodes,
            name,
            [helper.make_tensor_value_info(name, kind(name), shape) for name, shape in inputs.items()],
            [helper.make_tensor_value_info(name, kind(name), shape) for name, shape in outputs.items()],
            [value for name, value in self.constants.items() if self.is_used(name)],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
        onnx.checker.check_model(model, full_check=True)
        return model

    def is_used(self, name):
        return any(name in node.input for node in self.nodes)


def prefill(sizes, weights, tokens):
    """A whole prompt of up to `tokens` tokens: `input_ids` [1, tokens], filled up at the end with anything, and `length` [1], how many are the prompt's. The output is the
    logits [1, vocabulary] of what follows the last of them."""
    g = Graph(sizes, weights)
    x = g.embedding()
    rotations = g.rotations(g.constant("position_ids", [range(tokens)], np.int64))
    ones = g.constant("mask.ones", np.ones((tokens, tokens)))
    causal = g.node("/model/Trilu", "Trilu", ones, upper=0)
    causal = g.node("/model/Cast", "Cast", causal, to=TensorProto.BOOL)
    index = g.constant("index", range(tokens), np.int64)
    used = g.node("/model/Less", "Less", index, "length")
    visible = g.node("/model/And", "And", causal, used)
    visible = g.node("/model/Unsqueeze", "Unsqueeze", visible, g.ints(0, 1))
    x, _ = g.layers(x, rotations, g.mask(visible), None, tokens)
    last = g.node("/model/Sub", "Sub", "length", g.ints(1))
    x = g.node("/model/Gather", "Gather", x, last, axis=1)
    x = g.node("/model/Squeeze", "Squeeze", x, g.ints(1))
    logits = g.node("/lm_head/MatMul", "MatMul", x, "lm_head.weight")
    g.node("/lm_head/Identity", "Identity", logits)
    g.nodes[-1].output[0] = "logits"
    return g.model("prefill", {"input_ids": [1, tokens], "length": [1]}, {"logits": [1, sizes.vocabulary]})


def step(sizes, weights, cache):
    """One token after `length` others: `input_ids` and `position_ids` [1, 1], `length` [1], and for each layer the keys and values of the others in the first `length` of
    `cache` rows, [1, key heads, cache, head width]. The outputs are the logits [1, 1, vocabulary] and for each layer the token's own key and value, [1, key heads, 1, head width]."""
    g = Graph(sizes, weights)
    x = g.embedding()
    rotations = g.rotations("position_ids")
    index = g.constant("index", range(cache + 1), np.int64)
    used = g.node("/model/Less", "Less", index, "length")
    own = g.node("/model/Equal", "Equal", index, g.constant("own", cache, np.int64))
    visible = g.node("/model/Or", "Or", used, own)
    visible = g.node("/model/Unsqueeze", "Unsqueeze", visible, g.ints(0, 1, 2))
    caches = [[f"past_key_values.{i}.{part}" for part in ("key", "value")] for i in range(sizes.layers)]
    x, news = g.layers(x, rotations, g.mask(visible), caches, cache + 1)
    logits = g.node("/lm_head/MatMul", "MatMul", x, "lm_head.weight")
    outputs = {"logits": [1, 1, sizes.vocabulary]}
    inputs = {"input_ids": [1, 1], "position_ids": [1, 1], "length": [1]}
    g.node("/lm_head/Identity", "Identity", logits)
    g.nodes[-1].output[0] = "logits"
    for i, (names, new) in enumerate(zip(caches, news, strict=True)):
        for part, past, value in zip(("key", "value"), names, new, strict=True):
            inputs[past] = [1, sizes.key_heads, cache, sizes.head_width]
            g.node(f"/model/layers.{i}/{part}/Identity", "Identity", value)
            g.nodes[-1].output[0] = f"present.{i}.{part}"
            outputs[f"present.{i}.{part}"] = [1, sizes.key_heads, 1, sizes.head_width]
    return g.model("step", inputs, outputs)


class Recorded(CalibrationDataReader):
    def __init__(self, inputs):
        self.inputs = iter(inputs)

    def get_next(self):
        return next(self.inputs, None)


def islands(model):
    """Names of the sums and gathers that stay floating point: those in norms, rotations and masks. What is left are the embedding and the residual sums."""
    maker = {output: node for node in model.graph.node for output in node.output}
    made_by = lambda name: maker[name].op_type if name in maker else ""  # noqa: E731
    residual = ({"MatMul", "Add"}, {"MatMul", "Gather"})
    return [
        node.name
        for node in model.graph.node
        if (node.op_type == "Add" and {made_by(name) for name in node.input} not in residual)
        or (node.op_type == "Gather" and "rotary" in node.name)
    ]


def quantise(model, path, calibration, activations=QuantType.QInt8):
    """Static quantisation with int8 weights. What lies between products, embedding and residual sums stays floating point: norms, rotations, masks, SiLU."""
    with TemporaryDirectory() as folder:
        prepared = Path(folder) / "float.onnx"
        onnx.save(model, prepared)
        quantize_static(
            prepared, path, Recorded(calibration), quant_format=QuantFormat.QDQ, per_channel=True,
            op_types_to_quantize=["Gather", "MatMul", "Add"], nodes_to_exclude=islands(model),
            activation_type=activations, weight_type=QuantType.QInt8,
        )  # fmt: skip


class Session:
    """A model under onnxruntime, on one thread."""

    def __init__(self, model):
        model = model if isinstance(model, (str, Path)) else model.SerializeToString()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        self.session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])

    def run(self, inputs):
        names = [output.name for output in self.session.get_outputs()]
        return dict(zip(names, self.session.run(None, inputs), strict=True))


class Generation:
    """Runs a step model token by token; keeps the cache."""

    def __init__(self, session, sizes, cache):
        self.session, self.length = session, 0
        shape = (1, sizes.key_heads, cache, sizes.head_width)
        self.names = [f"{i}.{part}" for i in range(sizes.layers) for part in ("key", "value")]
        self.rows = {name: np.zeros(shape, np.float32) for name in self.names}

    def inputs(self, token):
        number = np.array([[self.length]], np.int64)
        caches = {f"past_key_values.{name}": rows.copy() for name, rows in self.rows.items()}
        return {"input_ids": np.array([[token]], np.int64), "position_ids": number, "length": number[0]} | caches

    def feed(self, token):
        """The outputs for the next token."""
        outputs = self.session.run(self.inputs(token))
        for name in self.names:
            self.rows[name][:, :, self.length] = outputs[f"present.{name}"][:, :, 0]
        self.length += 1
        return outputs
