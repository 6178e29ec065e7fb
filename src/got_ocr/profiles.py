"""The named ways to read: which words, which pixels, which rules. One table; knows no model and no picture."""

from dataclasses import dataclass
from typing import Literal, get_args

from got_ocr.errors import InvalidValue
from got_ocr.prompt import Style

ProfileName = Literal["safe", "reference", "hf"]


@dataclass(frozen=True, slots=True)
class Profile:
    """Say how to read.

    style: wording of the prompt. ports_pixels: decode pictures as the ports do (no EXIF turn, alpha dropped). ban: length of
    n-grams that may not repeat in single-picture requests, 0 for none. watch: stop loops. max_tiles: of a picture under `crop`.
    """

    style: Style
    ports_pixels: bool
    ban: int
    watch: bool
    max_tiles: int


PROFILES: dict[str, Profile] = {
    "safe": Profile(style="original", ports_pixels=False, ban=0, watch=True, max_tiles=6),
    # The original demo: its own words, a ban of repeated 20-grams in single-picture mode, six crops at most.
    "reference": Profile(style="original", ports_pixels=True, ban=20, watch=False, max_tiles=6),
    # transformers: its own words, no ban, twelve crops at most.
    "hf": Profile(style="hf", ports_pixels=True, ban=0, watch=False, max_tiles=12),
}


def profile(name: str) -> Profile:
    """Look a profile up. Raises InvalidValue."""
    if name not in PROFILES:
        raise InvalidValue(f"profile is one of {', '.join(get_args(ProfileName))}; not {name!r}")
    return PROFILES[name]
