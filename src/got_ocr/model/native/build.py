"""Compile the kernels with the C++ compiler that is there. Needs nothing but the standard library, since installing uses it.

The library's name carries a digest of its sources, so that one of other sources is never loaded.
"""

import hashlib
import os
import platform
import secrets
import shutil
import subprocess
from pathlib import Path

KERNELS = Path(__file__).parent / "kernels"
FLAGS = ("-O3", "-std=c++17", "-shared", "-fPIC", "-pthread", "-w")
# Only what `load.FEATURES` asks of a processor.
TARGET = tuple(
    "-m" + name for name in ["avx512f", "avx512bw", "avx512vl", "avx512dq", "avx512vnni", "avx512bf16", "fma", "f16c"]
)
LIMIT = 300.0  # seconds


def library_path(folder: Path = KERNELS) -> Path:
    """Say where the library of the present sources lies."""
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.[ch]pp")):
        digest.update(path.name.encode() + path.read_bytes())
    return folder.parent / f"kernels-{digest.hexdigest()[:12]}.so"


def compile_library(folder: Path = KERNELS) -> Path | None:
    """Compile, unless that was done; remove libraries of older sources. None where that is impossible."""
    target = library_path(folder)
    if target.exists():
        return target
    if platform.system() != "Linux" or platform.machine() != "x86_64":
        return None
    names = os.environ.get("CXX", ""), "c++", "g++", "clang++"
    compiler = next((found for name in names if (found := shutil.which(name))), None)
    if compiler is None:
        return None
    work = target.with_suffix(f".{secrets.token_hex(4)}.tmp")
    command = [compiler, *FLAGS, *TARGET, *map(str, sorted(folder.glob("*.cpp"))), "-o", str(work)]
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=LIMIT)  # noqa: S603
        for old in target.parent.glob("kernels-*.so"):
            old.unlink(missing_ok=True)
        os.replace(work, target)
    except (OSError, subprocess.SubprocessError):
        return None
    finally:
        work.unlink(missing_ok=True)
    return target


if __name__ == "__main__":
    compile_library()
