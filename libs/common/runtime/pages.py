"""Pages that need no JavaScript: templates that escape everything, one look, and headers that let nothing else in."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

POLICY = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"


class Pages:
    """The templates in a folder, which may extend `page.html`, the frame that all services share."""

    def __init__(self, folder: Path) -> None:
        loader = FileSystemLoader([folder, Path(__file__).with_name("templates")])
        self._templates = Environment(loader=loader, autoescape=True, undefined=StrictUndefined)

    def show(self, template: str, status: int = 200, **values: Any) -> HTMLResponse:
        """Return a rendered page."""
        text = self._templates.get_template(template).render(**values)
        return HTMLResponse(text, status, {"Content-Security-Policy": POLICY})
