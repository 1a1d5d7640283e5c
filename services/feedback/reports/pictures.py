"""Drawings as PNG pictures, for documents that hold no SVG."""

import io

from PIL import Image, ImageDraw

from services.feedback.reports.drawing import PAPER, Box, Drawing, Path, Shape, Words
from services.feedback.reports.fonts import Letters

SCALE = 3
"""Pixels of the picture for each of the drawing: about 200 to an inch in print."""
_ANCHORS = {"start": "ls", "middle": "ms", "end": "rs"}
_MARGIN = 8


def png(drawing: Drawing, letters: Letters, note: str = "") -> bytes:
    """Return a drawing as a picture; a note stands below it. Pillow draws no smooth lines, so it is made smaller."""
    below = 24 if note else 0
    size = (round(drawing.width + 2 * _MARGIN) * SCALE * 2, round(drawing.height + 2 * _MARGIN + below) * SCALE * 2)
    image = Image.new("RGB", size, PAPER)
    pen = ImageDraw.Draw(image)
    shapes = [*drawing.shapes, Words(0, drawing.height + 18, note, 12)] if note else drawing.shapes
    for shape in shapes:
        _draw(pen, shape, letters)
    file = io.BytesIO()
    image.reduce(2).save(file, "PNG", optimize=True)
    return file.getvalue()


def _at(length: float) -> float:
    return (length + _MARGIN) * SCALE * 2


def _draw(pen: ImageDraw.ImageDraw, shape: Shape, letters: Letters) -> None:
    unit = SCALE * 2
    if isinstance(shape, Words):
        font = letters.of(round(shape.size * unit))
        pen.text((_at(shape.x), _at(shape.y)), shape.text, shape.colour, font, _ANCHORS[shape.anchor])
    elif isinstance(shape, Box):
        corners = (_at(shape.x), _at(shape.y), _at(shape.x + shape.width), _at(shape.y + shape.height))
        pen.rectangle(corners, shape.fill, shape.edge or None, unit)
    else:
        for piece in _pieces(shape):
            pen.line([(_at(x), _at(y)) for x, y in piece], shape.colour, round(shape.width * unit), "curve")


def _pieces(path: Path) -> list[list[tuple[float, float]]]:
    """A line as the strokes of its dashes."""
    if not path.dashes:
        return [list(path.points)]
    on, off = path.dashes
    pieces, along = [], 0.0
    for (x, y), (to_x, to_y) in zip(path.points, path.points[1:], strict=False):
        length = ((to_x - x) ** 2 + (to_y - y) ** 2) ** 0.5
        start = -(along % (on + off))
        while start < length:
            begin, end = max(start, 0.0), min(start + on, length)
            if end > begin:
                pieces.append([(x + (to_x - x) * t / length, y + (to_y - y) * t / length) for t in (begin, end)])
            start += on + off
        along += length
    return pieces
