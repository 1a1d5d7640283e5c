"""HTTP of the knowledge base: import, search with citations, articles and their versions, reminders."""

import asyncio
from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BaseModel

from libs.common.contracts.classify import ArticleWhy
from libs.common.contracts.vocabulary import UnitRef
from libs.common.runtime.http import Cursor, Line, Moment, Page, page
from libs.common.runtime.media.receiving import body_of
from libs.common.runtime.problems import Problem, wrong_field
from libs.common.runtime.security import Principal, require_everywhere
from services.classify import handlers, store
from services.classify.api.around import Anyone, Context
from services.classify.domain import NOTICE, Article, Candidate, Content, Due, Scored, due_now, in_force
from services.classify.handlers import Here, Imported
from services.classify.knowledge import Draft, Fault, FileFaultError, drafts_in
from services.classify.knowledge.finding import SURE

router = APIRouter()
Editor = Annotated[Principal, Depends(require_everywhere("analyst", "supervisor"))]
ArticleId = Annotated[str, Path(pattern=r"^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$", max_length=80)]
VersionOf = Annotated[str, Path(pattern=r"^[1-9][0-9]{0,8}$")]
Owner = Annotated[Line | None, Query(description="Only those of this unit")]
Limit = Annotated[int, Query(ge=1, le=500)]
MOST_ANSWERS = 3
TAKEN = "One article in Markdown or Word (docx), or a CSV table with an article in each row"
_BYTES: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}
_BODY = {"requestBody": {"required": True, "description": TAKEN, "content": {"application/octet-stream": _BYTES}}}
ArticleState = Literal["coming", "in_force", "over"]


class Citation(BaseModel):
    """A passage that answers, word for word, and where it stands. `version` is what an answer names as its article's.

    `expires_on` is the last day in force. `score` says how sure it is that this answers, from 0 to 1.
    """

    article_id: str
    version: str
    title: str
    passage: str
    heading: str
    text: str
    owner: UnitRef
    source: str | None
    effective_from: date
    expires_on: date | None
    score: float


class Hint(BaseModel):
    """An article to look into."""

    article_id: str
    version: str
    title: str


class Found(BaseModel):
    """What is known of a question. If nothing is, `nearest` names articles to look into, and nothing is claimed."""

    known: bool
    answers: list[Citation]
    nearest: list[Hint]


class FaultView(BaseModel):
    """What is wrong with a field, and what would be right; of Word documents the head's rows count from line 2 on."""

    line: int
    field: str
    message: str


class ImportedView(BaseModel):
    """What came of the article that begins in a line."""

    line: int
    article_id: str | None
    outcome: Literal["created", "updated", "unchanged", "refused"]
    version: str | None
    errors: list[FaultView]


class ImportReport(BaseModel):
    """What came of a file, article by article. Those without faults are published, in a dry run only counted."""

    dry_run: bool
    articles: list[ImportedView]


class ArticleView(BaseModel):
    """A version of an article. `expires_on` is its last day; a newer version may take over before."""

    article_id: str
    version: str
    title: str
    owner: UnitRef
    state: ArticleState
    latest: bool
    effective_from: date
    expires_on: date | None
    review_by: date | None
    source: str | None
    audience: str | None
    codes: tuple[str, ...]
    imported_at: datetime
    imported_by: str


class PassageView(BaseModel):
    """A part of an article, by the name it is cited by."""

    passage: str
    heading: str
    text: str
    asked: tuple[str, ...]


class ArticleText(ArticleView):
    """A version of an article in full."""

    body: str
    not_here: tuple[str, ...]
    passages: list[PassageView]


class Reminder(BaseModel):
    """An article that needs its owner, and why, the gravest reason first."""

    article: ArticleView
    due: list["DueView"]


class DueView(BaseModel):
    """A reason, and since when."""

    why: ArticleWhy
    at: datetime


@router.get("/knowledge")
async def search(
    here: Context,
    _: Anyone,
    query: Annotated[Line, Query(description="The question, as it was asked")],
    at: Annotated[Moment | None, Query(description="By what was in force then; now, if it is not given")] = None,
) -> Found:
    """Answer a question by passages of articles in force, or say that it is not known."""
    scored = await handlers.find(here, query, at)
    answers = citations(here, scored)
    return Found(known=bool(answers), answers=answers, nearest=[] if answers else _hints(scored))


async def linked(here: Here, code: str) -> list[Hint]:
    """Return the articles in force that say which question of the catalogue they answer, and name this one."""
    found = await store.linked(here.database.pool, code, here.clock.now(), MOST_ANSWERS)
    return [Hint(article_id=one.article_id, version=str(one.version), title=one.title) for one in found]


def citations(here: Here, scored: Sequence[Scored]) -> list[Citation]:
    """Return the passage that answers, if one does surely enough, and others of its article that do as well."""
    sure = [(one.candidate, one.score) for one in scored if one.score is not None and one.score >= SURE]
    # Two articles are seldom about one thing: what comes second is most often what the question is not about.
    sure = [pair for pair in sure if pair[0].article_id == sure[0][0].article_id]
    return [_citation(here, candidate, score) for candidate, score in sure[:MOST_ANSWERS]]


def _citation(here: Here, found: Candidate, score: float) -> Citation:
    shelf = here.engine.shelf
    return Citation(
        article_id=found.article_id, version=str(found.version), title=found.title, passage=found.anchor,
        heading=found.heading, text=found.text, owner=handlers.unit_of(here, found.owner), source=found.source,
        effective_from=shelf.day_of(found.starts_at), expires_on=shelf.last_day(found.expires_at), score=score,
    )  # fmt: skip


def _hints(scored: Sequence[Scored]) -> list[Hint]:
    near = {one.candidate.article_id: one.candidate for one in reversed(scored)}
    hints = [Hint(article_id=c.article_id, version=str(c.version), title=c.title) for c in reversed(near.values())]
    return hints[:MOST_ANSWERS]


@router.post("/knowledge/files", openapi_extra=_BODY)
async def import_file(
    request: Request,
    here: Context,
    who: Editor,
    dry_run: Annotated[bool, Query(description="Only say what would come of it")] = False,
) -> ImportReport:
    """Import a file. What was imported before changes nothing; an article with a fault leaves the others alone."""
    here.keys.admit(who)
    try:
        drafts = await asyncio.to_thread(drafts_in, await handlers.text_of(here, body_of(request)))
    except FileFaultError as error:
        raise wrong_field(error.fault.field, f"line {error.fault.line}: {error.fault.message}") from error
    checked = await asyncio.to_thread(_checked, here, drafts)
    good = [content for _, content, _ in checked if content]
    done = dict(zip([c.article_id for c in good], await handlers.import_articles(
        here, good, who.name, dry_run=dry_run), strict=True))  # fmt: skip
    views = [
        _imported(draft, done[content.article_id] if content else None, faults) for draft, content, faults in checked
    ]
    return ImportReport(dry_run=dry_run, articles=views)


def _checked(here: Here, drafts: Sequence[Draft]) -> list[tuple[Draft, Content | None, list[Fault]]]:
    checked, lines = [], dict[str, int]()
    for draft in drafts:
        content, faults = here.engine.shelf.content(draft)
        if content and content.article_id in lines:
            faults = [Fault(draft.line, "id", f"stands in line {lines[content.article_id]} already")]
            content = None
        elif content:
            lines[content.article_id] = draft.line
        checked.append((draft, content, faults))
    return checked


def _imported(draft: Draft, done: Imported | None, faults: Sequence[Fault]) -> ImportedView:
    errors = [FaultView(line=fault.line, field=fault.field, message=fault.message) for fault in faults]
    return ImportedView(
        line=draft.line, article_id=draft.article_id, outcome=done.outcome if done else "refused",
        version=str(done.version) if done else None, errors=errors,
    )  # fmt: skip


@router.get("/knowledge/articles")
async def list_articles(
    here: Context, _: Anyone, cursor: Cursor, owner: Owner = None, limit: Limit = 100
) -> Page[ArticleView]:  # fmt: skip
    """List articles, each in its newest version, in the order of their import."""
    found = await store.listed(here.database.pool, owner, cursor, limit)
    places = {(a.article_id, str(a.version)): (a.imported_at, a.version_id) for a in found}
    return page([_view(here, article) for article in found], limit, lambda v: places[v.article_id, v.version])


@router.get("/knowledge/reminders")
async def list_reminders(
    here: Context, _: Anyone, cursor: Cursor, owner: Owner = None, limit: Limit = 100
) -> Page[Reminder]:  # fmt: skip
    """List the articles whose review is due, or that expire within 30 days or are expired."""
    now = here.clock.now()
    found = await store.needing(here.database.pool, owner, now, now + NOTICE, cursor, limit)
    places = {a.article_id: (a.imported_at, a.version_id) for a in found}
    reminders = [Reminder(article=_view(here, one), due=[_due(due) for due in due_now(one, now)]) for one in found]
    return page(reminders, limit, lambda reminder: places[reminder.article.article_id])


def _due(due: Due) -> DueView:
    return DueView(why=due.why, at=due.at)


@router.get("/knowledge/{article_id}")
async def list_versions(here: Context, _: Anyone, article_id: ArticleId) -> list[ArticleView]:
    """List the versions of an article, the newest first."""
    versions = await store.versions_of(here.database.pool, article_id)
    if not versions:
        raise Problem(404, "no article has this id")
    return [_view(here, article) for article in versions]


@router.get("/knowledge/{article_id}/{version}")
async def show_article(here: Context, _: Anyone, article_id: ArticleId, version: VersionOf) -> ArticleText:
    """Show a version of an article in full, with its passages."""
    pool = here.database.pool
    article = await store.version_of(pool, article_id, int(version))
    if article is None:
        raise Problem(404, "no such version of such an article")
    passages = [
        PassageView(passage=one.anchor, heading=one.heading, text=one.text, asked=one.asked)
        for one in await store.passages_of(pool, article_id, int(version))
    ]
    view = _view(here, article)
    return ArticleText(**dict(view), body=article.body, not_here=article.elsewhere, passages=passages)


def _view(here: Here, article: Article) -> ArticleView:
    shelf, now = here.engine.shelf, here.clock.now()
    not_now: ArticleState = "coming" if article.starts_at > now else "over"
    return ArticleView(
        article_id=article.article_id, version=str(article.version), title=article.title,
        owner=handlers.unit_of(here, article.owner), latest=article.latest,
        state="in_force" if in_force(article, now) else not_now,
        effective_from=shelf.day_of(article.starts_at), expires_on=shelf.last_day(article.expires_at),
        review_by=shelf.day_of(article.review_at) if article.review_at else None, source=article.source,
        audience=article.audience, codes=article.codes, imported_at=article.imported_at,
        imported_by=article.imported_by,
    )  # fmt: skip
