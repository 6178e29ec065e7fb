"""Put a trained model folder into the package: `python tools/bundle.py runs/printed/model`.

Copies config, weights and vocabulary into `src/got_ocr/bundled/` beside the card that lies there, and writes their sha256.
Without a folder it seals again what lies there, after an edit of the card.
Refuses weights that would take the folder over 60 MB. Whether the new model is the better one is for `got-ocr eval` to say first.
"""

import json
import shutil
import sys
from pathlib import Path

from got_ocr.hub import sha256

BUNDLED = Path(__file__).parents[1] / "src" / "got_ocr" / "bundled"
FILES = ("config.json", "model.safetensors", "vocab.tiktoken")
MOST_BYTES = 60_000_000


def main(folder: Path) -> int:
    """Copy and seal; return the exit status."""
    missing = [name for name in FILES if not (folder / name).is_file()]
    size = sum((folder / name).stat().st_size for name in FILES if name not in missing)
    if missing or size > MOST_BYTES:
        print(f"missing: {missing}" if missing else f"{size} bytes are more than {MOST_BYTES}", file=sys.stderr)
        return 2
    BUNDLED.mkdir(exist_ok=True)
    for name in FILES if folder.resolve() != BUNDLED else ():
        shutil.copyfile(folder / name, BUNDLED / name)
    sealed = {p.name: sha256(p) for p in sorted(BUNDLED.iterdir()) if p.is_file() and p.name != "checksums.json"}
    (BUNDLED / "checksums.json").write_text(json.dumps(sealed, indent=1) + "\n", "utf-8")
    print(f"{BUNDLED}: {size / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else BUNDLED))
