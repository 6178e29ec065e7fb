"""A picture that is larger than its use needs -> a smaller one. Knows no use."""

from PIL import Image


def shrunk(picture: Image.Image, length: int, most: int) -> tuple[Image.Image, float]:
    """Make a picture so much smaller that what was `length` pixels long has `most`; give it and how many times smaller it became.

    A picture that is small enough is given as it is.
    """
    shrink = max(1.0, length / most)
    if shrink > 1:
        size = (max(1, round(picture.width / shrink)), max(1, round(picture.height / shrink)))
        picture = picture.resize(size, Image.Resampling.BOX)
    return picture, shrink
