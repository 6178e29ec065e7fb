"""The far side of the peer RapidOCR: a program of its own, so that its packages need not live with ours.

Started by `peers.py` with any Python that has `rapidocr`; imports nothing of this project. Reads one JSON string a line, the path of a
picture, and answers with one JSON list a line, the texts that were found. The first line says {"ready": VERSION}.
"""

import json
import os
import sys
from importlib.metadata import version


def main() -> None:
    """Answer until the input ends."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what the packages print is no answer
    import numpy as np
    from PIL import Image
    from rapidocr import RapidOCR  # type: ignore[import-not-found, unused-ignore]

    engine = RapidOCR(params={"Global.log_level": "error"})  # by default it logs every model file that it opens
    answers.write(json.dumps({"ready": version("rapidocr")}) + "\n")
    answers.flush()
    for line in sys.stdin:
        with Image.open(json.loads(line)) as picture:
            pixels = np.asarray(picture.convert("RGB"))
        found = engine(pixels[:, :, ::-1])  # (H, W, RGB) -> BGR, as the package takes arrays
        answers.write(json.dumps(list(found.txts or ())) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
