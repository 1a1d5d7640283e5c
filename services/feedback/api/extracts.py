"""Extracts of the record for units: asked for, ruled on, fetched until they expire; who did what with each."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from starlette.responses import Response

from libs.common.contracts.vocabulary import UnitRef
from libs.common.runtime.http import Body, Cursor, Line, Page, Redacted, page
from libs.common.runtime.problems import Problem, wrong_field
from libs.common.runtime.security import Principal, require
from libs.common.runtime.tables import MEDIA_TYPE
from services.feedback.api.around import Context, Limit, Supervisor, commanding
from services.feedback.api.kpis import Words
from services.feedback.domain import extracts as domain
from services.feedback.domain.extracts import FIELDS, Deed, Extract, State
from services.feedback.domain.extracts import Field as Told
from services.feedback.domain.periods import MONTH
from services.feedback.handlers import Here, extracts, releases
from services.feedback.store import extracts as store

router = APIRouter()
Asker = Annotated[Principal, Depends(require("unit"))]
Sharer = Annotated[Principal, Depends(require("unit", "supervisor"))]
MonthName = Annotated[str, StringConstraints(pattern=MONTH)]
Names = Annotated[tuple[Line, ...], Field(max_length=100)]
_CSV: dict[int | str, dict[str, object]] = {200: {"content": {"text/csv": {"schema": {"type": "string"}}}}}


class PurposeView(BaseModel):
    """What an extract may be asked for."""

    model_config = ConfigDict(from_attributes=True)
    code: str
    name: Words


class TermsView(BaseModel):
    """What may be asked for: for which purposes, which fields, up to which month; and how it is masked.

    Nothing is told of fewer than `k` people, of the `sensitive` level-1 categories of fewer than `sensitive_k`.
    """

    purposes: list[PurposeView]
    fields: list[str]
    last_month: str
    most_months: int
    longest_days: int
    k: int
    sensitive_k: int
    sensitive: list[str]


class AskCommand(Body):
    """A request of a unit: why, in a word of the list and in its own; which fields of which months (the last included).

    Of some districts (six digits) or level-1 categories only, if any are named.
    """

    unit: Line
    purpose: Line
    words: Redacted
    fields: Annotated[list[Told], Field(min_length=1, max_length=len(FIELDS))]
    first: MonthName
    last: MonthName
    districts: Names = ()
    categories: Names = ()


class RuleCommand(Body):
    """A ruling and why; granted for so many days."""

    granted: bool
    note: Redacted
    days: Annotated[int, Field(ge=1, le=3650)] = 30


class ExtractView(BaseModel):
    """An extract. It can be fetched while it is `ready`, until `expires_at`; `sha256` is that of its file."""

    extract_id: UUID
    unit: UnitRef
    purpose: str
    words: str
    fields: list[str]
    months: list[str]
    districts: list[str]
    categories: list[str]
    state: State
    asked_at: datetime
    asked_by: str
    ruled_at: datetime | None
    ruled_by: str | None
    note: str | None
    expires_at: datetime | None
    made_at: datetime | None
    rows: int | None
    appeals: int | None
    sha256: str | None


class ActView(BaseModel):
    """What somebody did with an extract: `denied` is a download that was refused."""

    model_config = ConfigDict(from_attributes=True)
    act: Deed
    by: str
    at: datetime
    rows: int | None
    sha256: str | None


@router.get("/extracts/terms")
async def show_terms(here: Context, _: Sharer) -> TermsView:
    """Show what may be asked for, and how it is masked."""
    rules = here.engine.city.extracts
    return TermsView(
        purposes=[PurposeView.model_validate(one) for one in rules.purposes], fields=list(FIELDS),
        last_month=releases.last_settled(here).name, most_months=rules.most_months, longest_days=rules.longest_days,
        k=rules.k, sensitive_k=rules.sensitive.k, sensitive=list(rules.sensitive.categories),
    )  # fmt: skip


@router.post("/extracts", status_code=201)
async def post_extract(here: Context, who: Asker, asked: AskCommand) -> ExtractView:
    """Ask for an extract, for a unit that the key speaks for."""
    wish = _wish(here, asked)
    async with here.database.begin() as tx:
        return _view(await extracts.ask(tx, here, who, wish))


@router.get("/extracts")
async def list_extracts(
    here: Context, who: Sharer, cursor: Cursor, state: State | None = None, limit: Limit = 100
) -> Page[ExtractView]:
    """List the extracts that the key's units asked for, and those of the units it supervises, oldest first."""
    listed = await store.extracts(here.database.pool, extracts.seen_by(here, who), state, cursor, limit)
    return page([_view(one) for one in listed], limit, lambda one: (one.asked_at, one.extract_id))


@router.get("/extracts/{extract_id}")
async def show_extract(here: Context, who: Sharer, extract_id: UUID) -> ExtractView:
    """Show an extract."""
    async with here.database.begin() as tx:
        return _view(await extracts.found(tx, here, who, extract_id))


@router.post("/extracts/{extract_id}/ruling")
async def post_extract_ruling(here: Context, who: Supervisor, extract_id: UUID, command: RuleCommand) -> ExtractView:
    """Grant a request for some days, or refuse it, as a supervisor above the unit. Its file is made within minutes."""
    longest = here.engine.city.extracts.longest_days
    if command.days > longest:
        raise wrong_field("days", f"must be at most {longest}")
    async with commanding(here) as tx:
        ruled = await extracts.rule(
            tx, here, who, extract_id, granted=command.granted, note=command.note, days=command.days
        )
    here.loops["extracts"].wake()
    return _view(ruled)


@router.get("/extracts/{extract_id}/file", response_class=Response, responses=_CSV)
async def fetch_extract(here: Context, who: Asker, extract_id: UUID) -> Response:
    """Return the file as CSV, to a key of the unit that asked, until it expires. Each download is kept."""
    async with here.database.begin() as tx:
        extract, content = await extracts.download(tx, here, who, extract_id)
    if content is None:
        raise Problem(409, "the file may not be fetched: it is not ready, has expired, or is another unit's")
    name = f'attachment; filename="extract-{extract_id}.csv"'
    headers = {"Content-Disposition": name, "ETag": f'"{extract.sha256}"', "Cache-Control": "no-store"}
    return Response(content, headers=headers, media_type=MEDIA_TYPE)


@router.get("/extracts/{extract_id}/acts")
async def list_extract_acts(here: Context, who: Sharer, extract_id: UUID) -> list[ActView]:
    """List what was done with an extract: who asked, ruled and fetched what and when."""
    async with here.database.begin() as tx:
        await extracts.found(tx, here, who, extract_id)
    return [ActView.model_validate(one) for one in await store.acts(here.database.pool, extract_id)]


def _wish(here: Here, asked: AskCommand) -> extracts.Wish:
    city = here.engine.city
    if asked.unit not in city.units:
        raise wrong_field("unit", "must be the code of a unit of the city")
    _among("purpose", [asked.purpose], {one.code for one in city.extracts.purposes})
    _among("districts", asked.districts, {unit.district for unit in city.units.values() if unit.kind == "district"})
    _among("categories", asked.categories, set(city.catalogue.level1.values()))
    try:
        months = domain.months(asked.first, asked.last, releases.last_settled(here), city.extracts.most_months)
    except ValueError as error:
        raise wrong_field("last", str(error)) from error
    chosen = tuple(name for name in FIELDS if name in asked.fields)
    return extracts.Wish(
        asked.unit, asked.purpose, asked.words, chosen, months, tuple(sorted({*asked.districts})),
        tuple(sorted({*asked.categories})),
    )  # fmt: skip


def _among(field: str, said: Iterable[str], allowed: Collection[str | None]) -> None:
    if not set(said) <= set(allowed):
        raise wrong_field(field, f"must be of {', '.join(sorted(filter(None, allowed)))}")


def _view(one: Extract) -> ExtractView:
    names = set(ExtractView.model_fields) - {"unit"}
    return ExtractView(unit=one.unit, **{name: getattr(one, name) for name in names})
