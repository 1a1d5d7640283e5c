"""Curves and the map as shapes on a plane, drawn alike on a page and in a picture. Lengths are CSS pixels.

Colours hold for readers who see few of them: curves by Okabe and Ito, told apart by their dashes as well; the map's
are five steps of one blue, and each tile says its value.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from services.feedback.reports.content import NOTHING, Curve, Map, Series, Tile, breadth, shown

INK, MUTED, GRID, PAPER = "#17212b", "#4b5966", "#d5dce2", "#ffffff"
LINES: tuple[tuple[str, tuple[int, ...]], ...] = (("#0072b2", ()), ("#b34700", (7, 4)), ("#007a5a", (2, 4)))
BLUES = ("#eff3ff", "#bdd7e7", "#6baed6", "#2b7bba", "#08488e")
"""Light to dark; on the last two the text is white."""
_DARK = 3
WIDTH, HEIGHT = 720, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 72, 16, 44, 40
_TILE_WIDTH, _TILE_HEIGHT, _GAP = 96, 60, 4
_MOST_LABELS = 12
Anchor = Literal["start", "middle", "end"]


@dataclass(frozen=True, slots=True)
class Box:
    """A filled rectangle."""

    x: float
    y: float
    width: float
    height: float
    fill: str
    edge: str = ""


@dataclass(frozen=True, slots=True)
class Path:
    """A line through points."""

    points: tuple[tuple[float, float], ...]
    colour: str
    width: float = 1
    dashes: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Words:
    """Text whose baseline's start, middle or end is at a point."""

    x: float
    y: float
    text: str
    size: float = 13
    anchor: Anchor = "start"
    colour: str = INK


Shape = Box | Path | Words


@dataclass(frozen=True, slots=True)
class Drawing:
    """Shapes on a plane of a size."""

    width: float
    height: float
    shapes: tuple[Shape, ...]


def drawn_curve(curve: Curve, latin: bool = False) -> Drawing:
    """A curve on its axes, which begin at zero; with `latin` its names are those in Latin letters."""
    top = _nice(max((v for one in curve.series for v in one.values if v is not None), default=1))
    shapes = [*_axes(curve.labels, top), *_legend(curve.series, latin)]
    for one, (colour, dashes) in zip(curve.series, LINES, strict=False):
        shapes += [Path(run, colour, 2.5, dashes) for run in _runs(one, len(curve.labels), top)]
    return Drawing(WIDTH, HEIGHT, tuple(shapes))


def _nice(highest: float) -> float:
    """The least round number from `highest` on that four parts divide well."""
    unit = 10.0 ** math.floor(math.log10(max(highest, 4)))
    return next(unit * step for step in (1, 2, 4, 6, 8, 10) if unit * step >= highest)


def _x(place: int, places: int) -> float:
    span = WIDTH - _LEFT - _RIGHT
    return _LEFT + span * (place + 0.5) / max(places, 1)


def _y(value: float, top: float) -> float:
    return HEIGHT - _BOTTOM - (HEIGHT - _TOP - _BOTTOM) * value / top


def _axes(labels: Sequence[str], top: float) -> Iterator[Shape]:
    for part in range(5):
        value = top * part / 4
        yield Path(((_LEFT, _y(value, top)), (WIDTH - _RIGHT, _y(value, top))), GRID if part else MUTED)
        yield Words(_LEFT - 8, _y(value, top) + 4, f"{value:,.10g}", 12, "end", MUTED)
    every = math.ceil(len(labels) / _MOST_LABELS) or 1
    for place in range(0, len(labels), every):
        yield Words(_x(place, len(labels)), HEIGHT - _BOTTOM + 20, labels[place], 12, "middle", MUTED)


def _legend(series: Sequence[Series], latin: bool) -> Iterator[Shape]:
    x = float(_LEFT)
    for one, (colour, dashes) in zip(series, LINES, strict=False):
        name = one.latin if latin else one.name
        yield Path(((x, 20), (x + 32, 20)), colour, 2.5, dashes)
        yield Words(x + 40, 25, name)
        x += 64 + _length(name, 13)


def _length(text: str, size: float) -> float:
    """About how long a text is."""
    return size * breadth(text)


def _runs(one: Series, places: int, top: float) -> Iterator[tuple[tuple[float, float], ...]]:
    """The parts of a line between which values lack; a value by itself is a short stroke."""
    run: list[tuple[float, float]] = []
    for place, value in enumerate((*one.values[:places], None)):
        if value is not None:
            run.append((_x(place, places), _y(value, top)))
        elif run:
            yield tuple(run) if len(run) > 1 else ((run[0][0] - 3, run[0][1]), (run[0][0] + 3, run[0][1]))
            run = []


def drawn_map(map_: Map, latin: bool = False) -> Drawing:
    """The districts as tiles with their names and values, and what the colours mean."""
    columns = max((tile.column for tile in map_.tiles), default=0) + 1
    rows = max((tile.row for tile in map_.tiles), default=0) + 1
    shapes = [shape for tile in map_.tiles for shape in _tile(map_, tile, latin)]
    width, height = columns * (_TILE_WIDTH + _GAP), rows * (_TILE_HEIGHT + _GAP)
    shapes += _key(map_, height + 12)
    return Drawing(max(width, _key_width(map_)), height + 44, tuple(shapes))


def _tile(map_: Map, tile: Tile, latin: bool) -> Iterator[Shape]:
    x, y = tile.column * (_TILE_WIDTH + _GAP), tile.row * (_TILE_HEIGHT + _GAP)
    shade = None if tile.value is None else _shade(map_, tile.value)
    ink = PAPER if shade is not None and shade >= _DARK else INK
    yield Box(x, y, _TILE_WIDTH, _TILE_HEIGHT, PAPER if shade is None else BLUES[shade], MUTED)
    name = tile.latin if latin else tile.name
    size = min(16.0, 16.0 * (_TILE_WIDTH - 8) / max(_length(name, 16), 1))
    yield Words(x + _TILE_WIDTH / 2, y + 26, name, size, "middle", ink)
    value = NOTHING if tile.value is None else shown(tile.value, map_.format)
    yield Words(x + _TILE_WIDTH / 2, y + 48, value, 16, "middle", ink)


def _shade(map_: Map, value: float) -> int:
    """Which blue a value has: few classes lie as far apart as many."""
    last = max(len(map_.bounds) - 1, 1)
    return round(map_.bin_of(value) * (len(BLUES) - 1) / last)


def _key(map_: Map, y: float) -> Iterator[Shape]:
    for number, low in enumerate(map_.bounds):
        x = number * _TILE_WIDTH
        yield Box(x, y, 18, 18, BLUES[_shade(map_, low)], MUTED)
        yield Words(x + 24, y + 14, f"≥ {shown(low, map_.format)}", 13)


def _key_width(map_: Map) -> float:
    return len(map_.bounds) * _TILE_WIDTH


def texts(drawing: Drawing) -> Iterable[str]:
    """All words in a drawing."""
    return (shape.text for shape in drawing.shapes if isinstance(shape, Words))
