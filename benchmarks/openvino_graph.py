"""The decoder as an OpenVINO model with its cache inside, from OpenVINO's own operations. Knows no file and no number format.

Inputs: x (B, T, C) embedded positions; cos, sin (1, 1, T, D) of their places; mask (1, 1, T, S), 0 or far below; rows (B,), which
row of the cache each goes on with. Output: scores (B, W) of the last position. The forms of norm, rotation and cache are those
that OpenVINO's CPU plugin knows as one operation each.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from torch import Tensor

from got_ocr.model.config import DecoderConfig


def build(config: DecoderConfig, tensors: Mapping[str, Tensor]) -> Any:
    """Make the model with weights in float32; tensors: by got-ocr's names."""
    import openvino as ov
    from openvino import opset13 as ops

    return Graph(ov, ops, config, tensors).model()


class Graph:
    """Put operations together."""

    def __init__(self, ov: Any, ops: Any, config: DecoderConfig, tensors: Mapping[str, Tensor]) -> None:
        self._ov, self._ops, self._config, self._tensors = ov, ops, config, tensors
        self._head = config.width // config.heads
        shapes = {"x": [-1, -1, config.width], "cos": [1, 1, -1, self._head], "sin": [1, 1, -1, self._head]}
        shapes["mask"] = [1, 1, -1, -1]
        self._in = {name: ops.parameter(shape, np.float32, name=name) for name, shape in shapes.items()}
        self._in["rows"] = ops.parameter([-1], np.int32, name="rows")
        self._sinks: list[Any] = []

    def model(self) -> Any:
        """Run all layers and the head."""
        ops, x = self._ops, self._in["x"]
        for i in range(self._config.layers):
            name = f"decoder.layers.{i}."
            x = ops.add(x, self._attend(self._norm(x, name + "input_norm"), name + "attn.", i))
            x = ops.add(x, self._widen(self._norm(x, name + "post_norm"), name + "mlp."))
        last = ops.gather(x, ops.constant(-1, dtype=np.int64), ops.constant(1, dtype=np.int64))  # (B, C)
        scores = self._linear(self._norm(last, "decoder.norm"), "decoder.embed")
        return self._ov.Model([ops.result(scores)], self._sinks, list(self._in.values()), "decoder")

    def _weight(self, name: str) -> Any:
        return self._ops.constant(self._tensors[name].float().numpy())

    def _linear(self, x: Any, name: str) -> Any:
        out = self._ops.matmul(x, self._weight(name + ".weight"), False, True)
        bias = name + ".bias"
        return self._ops.add(out, self._weight(bias)) if bias in self._tensors else out

    def _norm(self, x: Any, name: str) -> Any:
        ops = self._ops
        squares = ops.power(x, ops.constant(2.0, dtype=np.float32))
        mean = ops.reduce_mean(squares, ops.constant([-1], dtype=np.int64), True)
        root = ops.sqrt(ops.add(mean, ops.constant(self._config.eps, dtype=np.float32)))
        scaled = ops.multiply(x, ops.divide(ops.constant(1.0, dtype=np.float32), root))
        return ops.multiply(self._weight(name + ".weight"), scaled)

    def _widen(self, x: Any, name: str) -> Any:
        gate = self._ops.swish(self._linear(x, name + "gate_proj"))
        return self._linear(self._ops.multiply(gate, self._linear(x, name + "up_proj")), name + "down_proj")

    def _attend(self, x: Any, name: str, layer: int) -> Any:
        ops = self._ops
        q, k, v = (self._split(self._linear(x, f"{name}{part}_proj")) for part in "qkv")
        keys = self._remember(self._rotate(k), f"keys.{layer}")
        values = self._remember(v, f"values.{layer}")
        out = ops.scaled_dot_product_attention(self._rotate(q), keys, values, self._in["mask"])
        joined = ops.reshape(self._turn(out), ops.constant([0, 0, self._config.width], dtype=np.int64), True)
        return self._linear(joined, name + "o_proj")

    def _split(self, x: Any) -> Any:
        """Part the heads: (B, T, C) -> (B, H, T, D)."""
        parts = self._ops.constant([0, 0, self._config.heads, self._head], dtype=np.int64)
        return self._turn(self._ops.reshape(x, parts, True))

    def _turn(self, x: Any) -> Any:
        return self._ops.transpose(x, self._ops.constant([0, 2, 1, 3], dtype=np.int64))

    def _rotate(self, x: Any) -> Any:
        ops, half = self._ops, self._head // 2
        parts = ops.variadic_split(x, ops.constant(3, dtype=np.int64), ops.constant([half, half], dtype=np.int64))
        minus = ops.multiply(parts.output(1), ops.constant(-1.0, dtype=np.float32))
        turned = ops.concat([minus, parts.output(0)], -1)
        return ops.add(ops.multiply(x, self._in["cos"]), ops.multiply(turned, self._in["sin"]))

    def _remember(self, new: Any, name: str) -> Any:
        """Put new positions behind those in the cache: (B, H, T, D) -> (B, H, S, D)."""
        ops, ov = self._ops, self._ov
        count = ops.shape_of(self._in["rows"], "i64")
        empty = ops.concat([count, ops.constant([self._config.heads, 0, self._head], dtype=np.int64)], 0)
        start = ops.broadcast(ops.constant(0.0, dtype=np.float32), empty)
        shape = ov.PartialShape([-1, self._config.heads, -1, self._head])
        old = ops.read_value(start, name, ov.Type.f32, shape)
        chosen = ops.gather(old, self._in["rows"], ops.constant(0, dtype=np.int64))
        both = ops.concat([chosen, new], 2)
        self._sinks.append(ops.assign(both, name))
        return both
