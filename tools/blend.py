"""Blend the weights of a model with those of the one it was trained on from: `python tools/blend.py FIRST SECOND SHARE OUT`.

OUT gets SECOND's configuration and vocabulary, and weights that lie SHARE of the way from FIRST's to SECOND's: after a short run at a
low rate they keep what the first model reads and have most of what the second one learned. Both must be of the same sizes. Source:
Wortsman et al. 2021, "Robust fine-tuning of zero-shot models".
"""

import shutil
import sys
from pathlib import Path

import torch

from got_ocr.model.weights import load_model, save_model


def main(first: Path, second: Path, share: float, out: Path) -> int:
    """Blend and write; return the exit status."""
    before, model = load_model(first, dtype=torch.float32).state_dict(), load_model(second, dtype=torch.float32)
    after = model.state_dict()
    if not 0 <= share <= 1 or {k: v.shape for k, v in before.items()} != {k: v.shape for k, v in after.items()}:
        print("expected two models of the same sizes and a share between 0 and 1", file=sys.stderr)
        return 2
    model.load_state_dict({name: torch.lerp(before[name], value, share) for name, value in after.items()})
    out.mkdir(parents=True, exist_ok=True)
    save_model(model, out, dtype=torch.bfloat16)
    shutil.copyfile(second / "vocab.tiktoken", out / "vocab.tiktoken")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3]), Path(sys.argv[4])))
