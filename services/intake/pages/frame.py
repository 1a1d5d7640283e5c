"""What every page shares: its language, the way to a person, the pass that opens a ticket, refusals one can read."""

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, RedirectResponse, Response

from libs.common.runtime.pages import Pages, refuse_foreign
from libs.common.runtime.problems import Problem
from services.intake.handlers import Here
from services.intake.pages.texts import TEXTS, foreign, html_lang

PAGES = Pages(Path(__file__).parent.with_name("templates"))
LANGUAGE, PASS = "jiesu_language", "jiesu_pass"
YEAR_SECONDS = 365 * 24 * 3600
CLIENT = "citizen-page"
"""Who sent an appeal that came by these pages."""
_REFUSALS = {403: "foreign", 404: "missing", 405: "missing", 413: "large", 429: "guesses", 503: "away"}


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who looks at a page: with which request, in which language."""

    request: Request
    here: Here
    language: str

    def say(self, *path: str, **params: object) -> str:
        """Return a text of the pages' catalogue."""
        return TEXTS.say(self.language, *path, **params)

    def local(self, at: datetime) -> str:
        """Return a time as clocks in the city show it."""
        return f"{at.astimezone(self.here.engine.timezone):%Y-%m-%d %H:%M}"

    def show(
        self, template: str, status: int = 200, headers: Mapping[str, str] | None = None, **values: Any
    ) -> HTMLResponse:
        """Return a rendered page. `back` among the values is the address of the same page by GET, if not this one."""
        path = values.pop("back", self.request.url.path)
        engine = self.here.engine
        page = PAGES.show(
            template, status, headers, say=self.say, language=self.language, lang=html_lang(self.language),
            languages={code: (html_lang(code), name) for code, name in TEXTS.languages.items()}, path=path,
            emergencies=engine.emergencies.numbers, city=engine.city.name,
            foreign=lambda text: foreign(text, self.language), **values,
        )  # fmt: skip
        if self.request.query_params.get("lang") == self.language:
            page.set_cookie(LANGUAGE, self.language, YEAR_SECONDS, path="/intake/", secure=self.secure, samesite="lax")
        return page

    @property
    def secure(self) -> bool:
        """Whether citizens come by HTTPS, so that cookies may ask for it."""
        return self.here.settings.base_url.startswith("https:")

    def lead(self, path: str) -> RedirectResponse:
        """Lead on to a page of ours by GET."""
        return RedirectResponse(path, 303)

    def admitted(self, ticket_id: UUID, code: str = "") -> bool:
        """Say whether this browser may open a ticket: by the code it sends, or the pass that it got for it before."""
        engine = self.here.engine
        if code:
            return engine.codes.matches(ticket_id, code)
        return engine.passes.opens(self.request.cookies.get(PASS, ""), ticket_id, self.here.clock.now())

    def admit(self, answer: Response, ticket_id: UUID) -> None:
        """Give the browser a pass, which it sends for this ticket's pages and for no others.

        Lax: who follows the link in a message or a mail comes from elsewhere, and a strict one would be held back.
        """
        passes = self.here.engine.passes
        answer.set_cookie(
            PASS, passes.of(ticket_id, self.here.clock.now()), int(passes.SPAN.total_seconds()),
            path=f"/intake/tickets/{ticket_id}", secure=self.secure, httponly=True, samesite="lax",
        )  # fmt: skip


def visitor(request: Request) -> Visitor:
    """Return who looks: the language asked for by the link, else remembered, else the browser's."""
    wish = request.query_params.get("lang") or request.cookies.get(LANGUAGE, "")
    language = wish if wish in TEXTS.languages else TEXTS.preferred(request.headers.get("accept-language", ""))
    return Visitor(request, request.app.state.context, language)


async def _looking(request: Request) -> Visitor:
    return visitor(request)


async def _sending(request: Request) -> Visitor:
    who = visitor(request)
    refuse_foreign(request, who.here.settings.base_url)
    return who


Looking = Annotated[Visitor, Depends(_looking)]
Sending = Annotated[Visitor, Depends(_sending)]
"""Who sends a form of ours. Problem 403 if another site's page sent it."""


class PageRoute(APIRoute):
    """A route whose refusals are pages too: a citizen is shown no JSON."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler that fastapi calls."""
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                return await handle(request)
            except RequestValidationError:
                return refusal(request, Problem(404, "the address has a part that is wrong"))
            except Problem as problem:
                return refusal(request, problem)
            except HTTPException as error:
                cause = error.__cause__  # FastAPI wraps what reading a body raises
                return refusal(request, cause if isinstance(cause, Problem) else Problem(error.status_code, ""))

        return answer


def refusal(request: Request, problem: Problem) -> HTMLResponse:
    """Return the page that says why not, and what to do instead."""
    what = _REFUSALS.get(problem.status, "other")
    return visitor(request).show("refused.html", problem.status, problem.headers, what=what, back="/intake/")


def pages() -> APIRouter:
    """Return a router for pages."""
    return APIRouter(route_class=PageRoute)
