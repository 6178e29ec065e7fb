"""What a model asks of a machine: operations and bytes, counted from its sizes. One multiply-add is two operations.

Biases, norms and activations are left out: they are below one part in a hundred at the published size.
"""

from dataclasses import dataclass

from got_ocr.model.config import DecoderConfig, GotConfig, VisionConfig


@dataclass(frozen=True, slots=True)
class Work:
    """Hold operations and bytes read."""

    flops: float
    bytes: float

    def seconds(self, flops: float, bandwidth: float) -> float:
        """Say how long a machine of these ceilings needs at least."""
        return max(self.flops / flops, self.bytes / bandwidth)


@dataclass(frozen=True, slots=True)
class Sizes:
    """Hold the bytes of a number: of the decoder's matrices, of the head, of the cache."""

    layers: float
    head: float
    cache: float


SIZES = {
    "float32": Sizes(4, 4, 4),
    "bfloat16": Sizes(2, 2, 2),
    "int8": Sizes(1, 1, 2),
    "int4": Sizes(0.5 + 2 / 32, 1, 2),  # 32 numbers share a scale of two bytes
}


def encode(config: GotConfig, size: int) -> Work:
    """Count one largest tile. size: bytes of a number."""
    v = config.vision
    c, n = v.width, v.grid[0] * v.grid[1]
    dense = v.layers * (4 * c * c + 2 * c * v.mlp) + 3 * v.patch[0] * v.patch[1] * c + (c + 9 * v.neck) * v.neck
    attention = sum(_attention(v, layer in v.global_layers) for layer in range(v.layers))
    fine = n // (v.strides[0][0] * v.strides[0][1])
    tokens = fine // (v.strides[1][0] * v.strides[1][1])
    down = fine * 18 * v.neck**2 + tokens * (18 * v.neck + config.decoder.width) * config.decoder.width
    return Work(2.0 * (n * (dense + attention) + down), float(size * dense))


def _attention(v: VisionConfig, whole: bool) -> int:
    """Count multiply-adds of one query in one layer."""
    y, x = v.grid if whole else v.window
    return v.width * (2 * y * x + y + x)


def weights(d: DecoderConfig) -> int:
    """Count the numbers of the decoder's matrices, the head left out."""
    return d.layers * (4 * d.width**2 + 3 * d.width * d.mlp)


def prefill(config: GotConfig, tokens: int, size: Sizes) -> Work:
    """Count one prompt, scored at its last position."""
    d = config.decoder
    head = d.vocab * d.width
    attention = d.layers * d.width * tokens * tokens  # causal: half of the square, twice
    return Work(2.0 * (tokens * weights(d) + head + attention), size.layers * weights(d) + size.head * head)


def step(config: GotConfig, rows: int, context: int, size: Sizes) -> Work:
    """Count one id for each of some rows."""
    d = config.decoder
    layers, head, cache = weights(d), d.vocab * d.width, rows * context * 2 * d.layers * d.width
    read = size.layers * layers + size.head * head + size.cache * cache
    return Work(2.0 * (rows * (layers + head) + cache), read)
