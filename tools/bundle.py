"""Put a trained model folder into the package: `python tools/bundle.py runs/blend [--part music=runs/staves/model ...]`.

Copies config, weights and vocabulary into `src/got_ocr/bundled/` beside the card that lies there (those of a reader of single kinds
into a folder below it, which is named after its kind), and writes their sha256. Without a folder it seals again what lies there, after
an edit of the card. Refuses weights that would take the folder over 60 MB. Whether the new model is the better one is for
`got-ocr eval` to say first.
"""

import argparse
import json
import shutil
import sys
from pathlib import Path

from got_ocr.hub import SUMS, parts, sha256
from got_ocr.spec import FORMATTED

BUNDLED = Path(__file__).parents[1] / "src" / "got_ocr" / "bundled"
FILES = ("config.json", "model.safetensors", "vocab.tiktoken")
MOST_BYTES = 60_000_000


def put(folder: Path, target: Path) -> bool:
    """Copy a model's files; say whether it had them all."""
    missing = [name for name in FILES if not (folder / name).is_file()]
    if missing:
        print(f"{folder} lacks {', '.join(missing)}", file=sys.stderr)
        return False
    target.mkdir(exist_ok=True)
    for name in FILES:
        shutil.copyfile(folder / name, target / name)
    return True


def main() -> int:
    """Copy and seal; return the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("folder", type=Path, nargs="?", help="of the model")
    parser.add_argument(
        "--part", type=_part, action="append", default=[], metavar="KIND=DIR", help="who reads a kind in its place"
    )
    args = parser.parse_args()
    given: dict[Path, Path | None] = {BUNDLED: args.folder, **dict.fromkeys(parts(BUNDLED).values())}
    given |= {BUNDLED / kind: folder for kind, folder in args.part}
    size = sum(_size(folder or target) for target, folder in given.items())
    if size > MOST_BYTES:
        print(f"{size} bytes are more than {MOST_BYTES}", file=sys.stderr)
        return 2
    if not all(put(folder, target) for target, folder in given.items() if folder):
        return 2
    held = sorted(path for path in BUNDLED.rglob("*") if path.is_file() and path.name != SUMS)
    sealed = {path.relative_to(BUNDLED).as_posix(): sha256(path) for path in held}
    (BUNDLED / SUMS).write_text(json.dumps(sealed, indent=1) + "\n", "utf-8")
    print(f"{BUNDLED}: {size / 1e6:.1f} MB")
    return 0


def _part(text: str) -> tuple[str, Path]:
    kind, _, folder = text.partition("=")
    if kind not in FORMATTED or not folder:
        raise argparse.ArgumentTypeError(f"a part is KIND=DIR with one of {', '.join(sorted(FORMATTED))}; not {text!r}")
    return kind, Path(folder)


def _size(folder: Path) -> int:
    return sum((folder / name).stat().st_size for name in FILES if (folder / name).is_file())


if __name__ == "__main__":
    sys.exit(main())
