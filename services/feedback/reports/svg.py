"""Drawings as SVG inside a page, with a title and a description for who cannot see them."""

from html import escape

from markupsafe import Markup

from services.feedback.reports.drawing import Box, Drawing, Path, Shape, Words


def svg(drawing: Drawing, name: str, title: str, about: str) -> Markup:
    """Return a drawing as an element; `name` is unique in its page."""
    size = f'viewBox="0 0 {drawing.width:g} {drawing.height:g}"'
    shapes = "".join(map(_shape, drawing.shapes))
    return Markup(  # noqa: S704 every text in it is escaped below
        f'<svg {size} role="img" aria-labelledby="{name}-t {name}-d" style="max-width:{drawing.width:g}px">'
        f'<title id="{name}-t">{escape(title)}</title><desc id="{name}-d">{escape(about)}</desc>{shapes}</svg>'
    )


def _shape(shape: Shape) -> str:
    if isinstance(shape, Words):
        return (
            f'<text x="{shape.x:.1f}" y="{shape.y:.1f}" font-size="{shape.size:.1f}" text-anchor="{shape.anchor}" '
            f'fill="{shape.colour}">{escape(shape.text)}</text>'
        )
    if isinstance(shape, Box):
        edge = f' stroke="{shape.edge}"' if shape.edge else ""
        return (
            f'<rect x="{shape.x:.1f}" y="{shape.y:.1f}" width="{shape.width:.1f}" height="{shape.height:.1f}" '
            f'fill="{shape.fill}"{edge}/>'
        )
    return _path(shape)


def _path(path: Path) -> str:
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in path.points)
    dashes = f' stroke-dasharray="{" ".join(map(str, path.dashes))}"' if path.dashes else ""
    return f'<polyline points="{points}" fill="none" stroke="{path.colour}" stroke-width="{path.width:g}"{dashes}/>'
