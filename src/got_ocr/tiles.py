"""Picture to tiles by the model's spec: whole, crop mode, regions.

Knows no file, prompt or array. Takes a `Picture` or an upright RGB PIL image (training samples hold those). Cutting
into text lines is another file's.
"""

from PIL import Image

from got_ocr.errors import InvalidValue
from got_ocr.image import Picture
from got_ocr.spec import ModelSpec
from got_ocr.task import Box


def whole(picture: Picture | Image.Image, spec: ModelSpec) -> Image.Image:
    """Squeeze a picture into one tile of exactly `spec.tile`; the aspect ratio is not kept.

    Bicubic with antialiasing, as the published weights were trained.
    """
    return _resized(_rgb(picture), spec.tile[1], spec.tile[0])


def crop_tiles(picture: Picture | Image.Image, spec: ModelSpec, max_tiles: int) -> tuple[Image.Image, ...]:
    """Cut a picture into a grid of at most `max_tiles` tiles, row by row, and append the whole when there are several.

    The picture is resized to the grid first. Gives up to max_tiles + 1 tiles of `spec.tile`.
    """
    image = _rgb(picture)
    height, width = spec.tile
    columns, rows = grid_for(image.width, image.height, 1, max_tiles, spec.tile)
    canvas = _resized(image, columns * width, rows * height)
    if columns * rows == 1:
        return (canvas,)
    corners = ((column * width, row * height) for row in range(rows) for column in range(columns))
    cut = [canvas.crop((left, top, left + width, top + height)) for left, top in corners]
    return (*cut, _resized(image, width, height))


def grid_for(width: int, height: int, min_tiles: int, max_tiles: int, tile: tuple[int, int]) -> tuple[int, int]:
    """Choose (columns, rows), their product between min_tiles and max_tiles, nearest to the picture's aspect ratio.

    tile: (height, width). The ratio of a grid is columns / rows whatever the tile's shape, as in other ports.
    Of equally near grids the larger is taken while the picture's area is over half of the grid's.
    """
    if not 1 <= min_tiles <= max_tiles:
        raise InvalidValue("the number of tiles needs 1 <= least <= most")
    area, tile_area = width * height, tile[0] * tile[1]
    grids = sorted(_grids(min_tiles, max_tiles), key=lambda grid: grid[0] * grid[1])
    best, nearest = (1, 1), float("inf")
    for columns, rows in grids:
        distance = abs(width / height - columns / rows)
        roomy = area > 0.5 * tile_area * columns * rows
        if distance < nearest or (distance == nearest and roomy):
            best, nearest = (columns, rows), distance
    return best


def region(picture: Picture | Image.Image, box: Box) -> Image.Image:
    """Cut the box (x1, y1, x2, y2) in pixels, clamped to the picture, out of it.

    Raises InvalidValue for a point and for a box that lies outside.
    """
    if len(box) == 2:
        raise InvalidValue("a point has no area to cut out: give x1,y1,x2,y2, or use box_mode=prompt")
    image = _rgb(picture)
    left, top = max(box[0], 0), max(box[1], 0)
    right, bottom = min(box[2], image.width), min(box[3], image.height)
    if left >= right or top >= bottom:
        raise InvalidValue(f"the box lies outside of the picture, which is {image.width} x {image.height} pixels")
    return image.crop((left, top, right, bottom))


def _grids(least: int, most: int) -> list[tuple[int, int]]:
    sides = range(1, most + 1)
    # Columns outermost: the stable sort keeps this order among grids of one size, and ties depend on it.
    return [(columns, rows) for columns in sides for rows in sides if least <= columns * rows <= most]


def _resized(image: Image.Image, width: int, height: int) -> Image.Image:
    return image.resize((width, height), Image.Resampling.BICUBIC)


def _rgb(picture: Picture | Image.Image) -> Image.Image:
    return picture.image if isinstance(picture, Picture) else picture
