"""Triton's compiler takes every kernel for a Hopper GPU, at the published sizes: no device is needed for that, and no interpreter."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec

import pytest

SCRIPT = """
import json
from triton import compile
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource
from got_ocr.model.gpu import kernels as k

def made(kernel, types, fixed, warps):
    names = kernel.arg_names
    signature = {n: "constexpr" if n in fixed else types.get(n, "i32") for n in names}
    aligned = {(i,): [["tt.divisibility", 16]] for i, n in enumerate(names) if signature[n].startswith("*")}
    source = ASTSource(kernel, signature, {(names.index(n),): value for n, value in fixed.items()}, aligned)
    ready = compile(source, target=GPUTarget("cuda", 90, 32), options={"num_warps": warps, "num_stages": 3})
    return ready.metadata.shared, "wgmma" in ready.asm["ptx"]

half, whole, long, byte = "*bf16", "*fp32", "*i64", "*i8"
found = {}
seen = dict.fromkeys(("qkv", "empty", "terms_h", "terms_w", "out"), half) | {"scale": "fp32"}
sizes = dict(D=64, BLOCK_D=64, PRECISION="tf32")
found["whole grid"] = made(k.relative_attention, seen, sizes | dict(BLOCK_M=128, ROWS=1, COLUMNS=64, PADDED=False), 8)
found["windows"] = made(k.relative_attention, seen, sizes | dict(BLOCK_M=64, ROWS=4, COLUMNS=16, PADDED=True), 4)
for kind in (half, "*fp8e4nv"):
    types = dict.fromkeys(("qkv", "cos", "sin", "out", "key_scales", "value_scales"), half)
    types |= dict(keys=kind, values=kind, rows=long, lengths=long, parts=whole, stats=whole, scale="fp32")
    fixed = dict(D=64, BLOCK_D=64, BLOCK_S=128, SPLITS=8, EIGHTH=kind != half)
    found["attend " + kind] = made(k.attend, types, fixed, 4)
found["combine"] = made(k.combine, dict(parts=whole, stats=whole, out=half), dict(D=64, BLOCK_D=64, SPLITS=8), 1)
types = dict.fromkeys(("x", "weight", "bias", "norm", "residual", "out"), half) | {"eps": "fp32"}
for rows in (1, 4):
    for bits in ((1, 1, 0, 0), (1, 0, 1, 0), (0, 0, 0, 1), (1, 0, 0, 0)):
        fixed = dict(zip(("NORM", "BIAS", "GATED", "RESIDUAL"), map(bool, bits)))
        found[f"project {rows} {bits}"] = made(k.project, types, fixed | dict(ROWS=rows, BLOCK_O=8, BLOCK_I=1024), 4)
types = dict(scores=half, history="*i32", filled=long, sizes=long, rows=long)
found["ban"] = made(k.ban, types, dict(BLOCK=256), 4)
types = dict.fromkeys(("chosen", "rows", "last", "filled", "lengths", "ends", "limits"), long)
types |= dict(best=half, history="*i32", live=byte, wrong=byte)
found["take"] = made(k.take, types, dict(BLOCK=256), 4)
print(json.dumps(found))
"""


@pytest.mark.slow
@pytest.mark.skipif(find_spec("triton") is None, reason="needs Triton, for its compiler (pip install triton)")
def test_every_kernel_compiles_for_hopper() -> None:
    surroundings = {name: value for name, value in os.environ.items() if name != "TRITON_INTERPRET"}
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, env=surroundings, check=False)
    assert done.returncode == 0, done.stderr[-1500:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert len(found) == 15
    # A processor has 227 KB of shared memory to give; the encoder's products are the tensor cores' own.
    assert max(shared for shared, _ in found.values()) <= 227 * 1024
    assert found["whole grid"][1]
    assert found["windows"][1]
