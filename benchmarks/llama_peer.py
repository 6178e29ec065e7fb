"""llama.cpp as a peer of `got-ocr bench`: the decoder alone, in BF16, Q8_0, or Q4_0 with a head of Q8_0.

    python -m venv peers && peers/bin/pip install . llama-cpp-python gguf
    got-ocr bench --jobs prefill,decode --batches 1 --dtype int8 --peer "peers/bin/python benchmarks/llama_peer.py FOLDER"

(llama-cpp-python compiles llama.cpp; CMAKE_ARGS=-DGGML_NATIVE=ON for this processor.) FOLDER keeps the weights as GGUF for the
next run: one folder for one checkpoint. Contexts are made once for each number of rows and positions, and emptied for a new prompt.
"""

import ctypes
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from decoder_only import Numbers, Source, keep
from numpy.typing import NDArray

from got_ocr.bench.peer import Scores, serve
from got_ocr.errors import InvalidValue
from got_ocr.model.layouts import Layout

KINDS = {"float32": ("F32", "F32"), "bfloat16": ("BF16", "BF16"), "int8": ("Q8_0", "Q8_0"), "int4": ("Q4_0", "Q8_0")}
AT_ONCE = 512  # positions of a prompt that are read together
NAMES = Layout(
    "native",
    "qwen2",
    (
        ("decoder.embed.", "token_embd."),
        ("decoder.norm.", "output_norm."),
        ("decoder.layers.#.input_norm.", "blk.#.attn_norm."),
        ("decoder.layers.#.post_norm.", "blk.#.ffn_norm."),
        ("decoder.layers.#.attn.q_proj.", "blk.#.attn_q."),
        ("decoder.layers.#.attn.k_proj.", "blk.#.attn_k."),
        ("decoder.layers.#.attn.v_proj.", "blk.#.attn_v."),
        ("decoder.layers.#.attn.o_proj.", "blk.#.attn_output."),
        ("decoder.layers.#.mlp.gate_proj.", "blk.#.ffn_gate."),
        ("decoder.layers.#.mlp.up_proj.", "blk.#.ffn_up."),
        ("decoder.layers.#.mlp.down_proj.", "blk.#.ffn_down."),
    ),
)


def write(gguf: Any, source: Source, path: Path, kinds: tuple[str, str]) -> None:
    """Write the decoder as GGUF. kinds: of the layers' matrices, and of the embedding, which is the head as well."""
    sizes, unfinished = source.config.decoder, path.with_suffix(".part")
    writer = gguf.GGUFWriter(unfinished, "qwen2")
    writer.add_tokenizer_model("none")
    writer.add_vocab_size(sizes.vocab)
    writer.add_context_length(sizes.context)
    writer.add_embedding_length(sizes.width)
    writer.add_block_count(sizes.layers)
    writer.add_feed_forward_length(sizes.mlp)
    writer.add_head_count(sizes.heads)
    writer.add_head_count_kv(sizes.heads)
    writer.add_layer_norm_rms_eps(sizes.eps)
    writer.add_rope_freq_base(sizes.rope_theta)
    for name, tensor in source.tensors().items():
        kind = "F32" if tensor.dim() == 1 else kinds[name.startswith("decoder.embed.")]
        to = gguf.GGMLQuantizationType[kind]
        writer.add_tensor(NAMES.theirs(name), gguf.quantize(tensor.float().numpy(), to), raw_dtype=to)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    unfinished.rename(path)


class Context:
    """Hold llama.cpp's context for some rows. size: positions of a row."""

    def __init__(self, lib: Any, model: Any, rows: int, size: int, width: int, vocab: int) -> None:
        options = lib.llama_context_default_params()
        options.n_ctx, options.n_batch, options.n_ubatch, options.n_seq_max = rows * size, AT_ONCE, AT_ONCE, rows
        options.n_threads = options.n_threads_batch = int(os.environ.get("OMP_NUM_THREADS", os.cpu_count() or 1))
        self._lib, self._vocab = lib, vocab
        self._context = lib.llama_init_from_model(model, options)
        if not self._context:
            raise InvalidValue("llama.cpp opened no context")
        self._embedded, self._ids = lib.llama_batch_init(AT_ONCE, width, 1), lib.llama_batch_init(rows, 0, 1)

    def clear(self) -> None:
        """Forget all rows."""
        self._lib.llama_memory_clear(self._lib.llama_get_memory(self._context), True)

    def read(self, row: int, x: Numbers) -> Numbers:
        """Append embedded positions (T, C) to a row and score what follows: (W,)."""
        for start in range(0, len(x), AT_ONCE):
            part = np.ascontiguousarray(x[start : start + AT_ONCE])
            ctypes.memmove(self._embedded.embd, part.ctypes.data, part.nbytes)
            places = [(row, start + i, start + i == len(x) - 1) for i in range(len(part))]
            self._run(self._embedded, places)
        return self._scores(len(part) - 1)

    def step(self, ids: Sequence[int], place: int) -> Numbers:
        """Append one id to each row and score what follows: (B, W)."""
        for row, token in enumerate(ids):
            self._ids.token[row] = token
        self._run(self._ids, [(row, place, True) for row in range(len(ids))])
        return np.stack([self._scores(row) for row in range(len(ids))])

    def _run(self, batch: Any, places: Sequence[tuple[int, int, bool]]) -> None:
        batch.n_tokens = len(places)
        for i, (row, place, scored) in enumerate(places):
            batch.pos[i], batch.n_seq_id[i], batch.seq_id[i][0], batch.logits[i] = place, 1, row, scored
        if self._lib.llama_decode(self._context, batch):
            raise InvalidValue("llama.cpp did not take the positions")

    def _scores(self, place: int) -> Numbers:
        scores = self._lib.llama_get_logits_ith(self._context, place)
        return np.ctypeslib.as_array(scores, (self._vocab,)).copy()  # the buffer is used again


class Rows:
    """Prompts of one length."""

    def __init__(self, context: Context, prompts: Sequence[Numbers]) -> None:
        self._context, self._prompts, self._length = context, prompts, len(prompts[0])

    def prefill(self) -> Scores:
        """Read the prompts."""
        self._context.clear()
        return Scores(np.stack([self._context.read(row, x) for row, x in enumerate(self._prompts)]))

    def step(self, ids: Sequence[int]) -> Scores:
        """Append one id to each row."""
        scores = self._context.step(ids, self._length)
        self._length += 1
        return Scores(scores)


class Peer:
    """Run llama.cpp as a backend. Raises InvalidValue where it is not installed."""

    def __init__(self, folder: Path, dtype: str) -> None:
        try:
            import gguf
            import llama_cpp
        except ImportError:
            raise InvalidValue("llama.cpp is not installed here: pip install llama-cpp-python gguf") from None
        self._source, self._lib = Source(folder), llama_cpp
        self.spec = self._source.spec
        path = keep() / f"{dtype}.gguf"
        if not path.exists():
            write(gguf, self._source, path, KINDS[dtype])
        llama_cpp.llama_backend_init()
        self._model = llama_cpp.llama_model_load_from_file(str(path).encode(), llama_cpp.llama_model_default_params())
        if not self._model:
            raise InvalidValue("llama.cpp did not open the weights")
        self._contexts: dict[tuple[int, int], Context] = {}
        self.encode: Callable[[Sequence[NDArray[np.uint8]]], list[Numbers]] = self._source.encode

    def start(self, prompts: Sequence[Sequence[int]], features: Sequence[Sequence[Numbers]], room: int) -> Rows:
        """Open rows in a context that may have served others of their number and length before."""
        key = len(prompts), len(prompts[0]) + room
        if key not in self._contexts:
            sizes = self._source.config.decoder
            self._contexts[key] = Context(self._lib, self._model, *key, sizes.width, sizes.vocab)
        embedded = [self._source.embed(ids, seen) for ids, seen in zip(prompts, features, strict=True)]
        return Rows(self._contexts[key], embedded)


if __name__ == "__main__":
    sys.exit(serve(Peer))
