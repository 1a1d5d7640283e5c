"""Pages that need no JavaScript: templates that escape everything, one look, and headers that let nothing else in."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from libs.common.runtime.problems import Problem

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    # With `no-referrer` a browser would not say either where a form comes from, and `refuse_foreign` asks.
    "Referrer-Policy": "same-origin",
}


class Pages:
    """The templates in a folder, which may extend `page.html`, the frame that all services share."""

    def __init__(self, folder: Path) -> None:
        loader = FileSystemLoader([folder, Path(__file__).with_name("templates")])
        self._templates = Environment(
            loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
        )

    def show(
        self, template: str, status: int = 200, headers: Mapping[str, str] | None = None, **values: Any
    ) -> HTMLResponse:
        """Return a rendered page."""
        text = self._templates.get_template(template).render(**values)
        return HTMLResponse(text, status, {**HEADERS, **(headers or {})})


def refuse_foreign(request: Request, own: str) -> None:
    """Refuse a form that the page of another site sent. `own` is an address of ours beside the one that was asked.

    Browsers say where a form comes from, by Sec-Fetch-Site or at least by Origin; what says neither is no browser of
    the last years, and carries nobody's cookies. Raises Problem 403.
    """
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None:
        foreign = site not in {"same-origin", "none"}
    else:
        foreign = origin is not None and urlsplit(origin).netloc not in {
            request.headers.get("host"),
            urlsplit(own).netloc,
        }
    if foreign:
        raise Problem(403, "a form of another site")
