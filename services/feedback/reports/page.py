"""A report as one HTML file: no script, nothing from elsewhere, to be read aloud and to be printed."""

from pathlib import Path

from markupsafe import Markup
from starlette.responses import HTMLResponse

from libs.common.runtime.pages import Pages
from services.feedback.reports.content import Curve, Map, Report
from services.feedback.reports.drawing import drawn_curve, drawn_map
from services.feedback.reports.svg import svg

PAGES = Pages(Path(__file__).with_name("templates"))


def page(report: Report) -> HTMLResponse:
    """Return a report as a page."""
    return PAGES.show("report.html", report=report, curve_svg=_curve, map_svg=_map)


def _curve(curve: Curve, name: str) -> Markup:
    return svg(drawn_curve(curve), name, curve.title, curve.about)


def _map(map_: Map, name: str) -> Markup:
    return svg(drawn_map(map_), name, map_.title, map_.about)
