"""Filled rows of a table (a dark header, every second row in grey) -> written on paper like the others. Knows no cell."""

import numpy as np
from numpy.typing import NDArray

from got_ocr.columns import runs

Grey = NDArray[np.uint8]

WINDOW = 11  # rows: what is thinner is a rule, no band
LEAST = 8  # rows of a band
APART = 6  # grey levels between a band and the paper


def without_bands(grey: Grey) -> Grey:
    """Give every filled row the paper's colour, with what is written on it as strong as before, dark on light paper."""
    rows = np.median(grey, axis=1)
    padded = np.pad(rows, WINDOW // 2, mode="edge")
    ground = np.median(np.lib.stride_tricks.sliding_window_view(padded, WINDOW), axis=1)
    levels, counts = np.unique(np.round(ground / APART), return_counts=True)
    paper = float(np.median(ground[np.abs(ground - APART * levels[counts.argmax()]) <= APART]))
    out = grey.copy()
    for top, bottom in runs(np.abs(ground - paper) > APART):
        if bottom - top >= LEAST:
            _fill(out[top:bottom], ground[top:bottom, None], paper)
    return out


def _fill(rows: Grey, ground: NDArray[np.float64], paper: float) -> None:
    """Flatten the part of some rows that has their ground's colour."""
    part = rows.astype(np.float64)
    filled = np.flatnonzero(np.median(np.abs(part - ground) < np.abs(part - paper), axis=0) > 0)
    if filled.size == 0:
        return
    inside = slice(filled[0], filled[-1] + 1)
    away = np.abs(part[:, inside] - ground)
    rows[:, inside] = np.clip(paper - away if paper > 127 else paper + away, 0, 255).astype(np.uint8)
