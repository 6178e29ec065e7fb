"""OpenVINO as a peer of `got-ocr bench`: the decoder alone, in bfloat16, int8, or int4 in groups of 64 with a head of int8.

    python -m venv peers && peers/bin/pip install . openvino nncf
    got-ocr bench --jobs prefill,decode --batches 1 --dtype int8 --peer "peers/bin/python benchmarks/openvino_peer.py FOLDER"

FOLDER keeps OpenVINO's form of the weights for the next run: one folder for one checkpoint. Everything that is not named here is
as OpenVINO sets it for latency: the cache in 8 bits and, with quantised weights, activations in 8 bits too.
"""

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from decoder_only import Numbers, Source, keep
from numpy.typing import NDArray
from openvino_graph import build

from got_ocr.bench.peer import Scores, serve
from got_ocr.errors import InvalidValue
from got_ocr.model.decoder import rotary

GROUP = 64  # inputs that share a scale in int4
FAR = -1e9  # what hides a position
PRECISIONS = {"float32": "f32", "bfloat16": "bf16", "int8": "bf16", "int4": "bf16"}


def write(ov: Any, source: Source, path: Path, dtype: str) -> None:
    """Write the decoder in OpenVINO's form."""
    model = build(source.config.decoder, source.tensors())
    if dtype in ("int8", "int4"):
        import nncf

        eight, four = nncf.CompressWeightsMode.INT8_SYM, nncf.CompressWeightsMode.INT4_SYM
        more = {"group_size": GROUP, "ratio": 1.0, "backup_mode": nncf.BackupMode.INT8_SYM} if dtype == "int4" else {}
        model = nncf.compress_weights(model, mode=four if dtype == "int4" else eight, **more)
    ov.save_model(model, path, compress_to_fp16=False)


class Rows:
    """Prompts of one length in a request of their own."""

    def __init__(self, source: Source, request: Any, prompts: Numbers) -> None:
        self._source, self._request, self._prompts, self._length = source, request, prompts, 0

    def prefill(self) -> Scores:
        """Read the prompts."""
        self._request.reset_state()
        count = self._prompts.shape[1]
        hidden: Numbers = np.triu(np.full((count, count), FAR, np.float32), 1)
        return self._run(self._prompts, hidden)

    def step(self, ids: Sequence[int]) -> Scores:
        """Append one id to each row."""
        return self._run(self._source.embed(ids)[:, None], np.zeros((1, self._length + 1), np.float32))

    def _run(self, x: Numbers, mask: Numbers) -> Scores:
        rows, count, _width = x.shape
        places = torch.arange(self._length, self._length + count)[None]
        cos, sin = (part.numpy() for part in rotary(self._source.config.decoder, places))
        self._length += count
        given = {"x": x, "cos": cos, "sin": sin, "mask": mask[None, None], "rows": np.arange(rows, dtype=np.int32)}
        return Scores(self._request.infer(given, share_inputs=True, share_outputs=True)[0])


class Peer:
    """Run OpenVINO as a backend. Raises InvalidValue where it is not installed."""

    def __init__(self, folder: Path, dtype: str) -> None:
        try:
            import nncf  # noqa: F401
            import openvino as ov
        except ImportError:
            raise InvalidValue("OpenVINO is not installed here: pip install openvino nncf") from None
        self._source = Source(folder)
        self.spec = self._source.spec
        path = keep() / f"{dtype}.xml"
        if not path.exists():
            write(ov, self._source, path, dtype)
        settings = {
            "INFERENCE_NUM_THREADS": int(os.environ.get("OMP_NUM_THREADS", os.cpu_count() or 1)),
            "INFERENCE_PRECISION_HINT": PRECISIONS[dtype],
            "PERFORMANCE_HINT": "LATENCY",
        }
        self.compiled = ov.Core().compile_model(path, "CPU", settings)
        self.encode: Callable[[Sequence[NDArray[np.uint8]]], list[Numbers]] = self._source.encode
        self._spare = self.compiled.create_infer_request()

    def start(self, prompts: Sequence[Sequence[int]], features: Sequence[Sequence[Numbers]], room: int) -> Rows:
        """Open rows; prompts that nothing is written behind share a request."""
        request = self._spare if room == 1 else self.compiled.create_infer_request()
        embedded = [self._source.embed(ids, seen) for ids, seen in zip(prompts, features, strict=True)]
        return Rows(self._source, request, np.stack(embedded))


if __name__ == "__main__":
    sys.exit(serve(Peer))
