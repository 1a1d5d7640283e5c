"""Reports: as data, as a page, as documents."""

import asyncio
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Path, Query
from pydantic import BaseModel, ConfigDict
from starlette.responses import HTMLResponse, Response

from libs.common.city.reports import ReportKind
from libs.common.runtime.http import Line
from libs.common.runtime.problems import Problem, wrong_field
from libs.common.runtime.security import Principal, require_everywhere
from services.feedback.api.around import Context, Limit, Reader
from services.feedback.domain.reports import Kept, Scope, Spans, spans_of
from services.feedback.handlers import Here
from services.feedback.handlers import reports as handlers
from services.feedback.handlers.seeing import seen_units
from services.feedback.reports.apart import Document, written
from services.feedback.reports.content import Report
from services.feedback.reports.page import page
from services.feedback.store import reports as store

router = APIRouter()
MEDIA_TYPES: dict[Document, str] = {
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
Period = Annotated[
    str,
    Path(
        max_length=10,
        description="2026-11-03 daily, 2026-W45 weekly, 2026-11 monthly, 2026 yearly; a holiday by one of its days",
    ),
]
District = Annotated[str | None, Query(pattern=r"^\d{6}$", description="Of this district alone, six digits")]
Unit = Annotated[Line | None, Query(description="Of this unit alone, by its code; not with a district")]
Version = Annotated[int | None, Query(ge=0, le=2**31 - 1, description="An earlier version; the last one if not given")]
Language = Annotated[str, Header(alias="accept-language", max_length=500)]
Renewer = Annotated[Principal, Depends(require_everywhere("supervisor", "analyst"))]


class MadeView(BaseModel):
    """That a report was made. `scope` is city, district:110105 or unit:s-110105026; version 0: it is not over yet."""

    model_config = ConfigDict(from_attributes=True)
    kind: ReportKind
    period: str
    scope: str
    version: int
    made_at: datetime
    closed: bool


class ReportView(MadeView):
    """A report: what it says, in figures and words."""

    report: Report


@router.get("/reports")
async def list_reports(here: Context, _: Reader, limit: Limit = 100) -> list[MadeView]:
    """List the reports that were made, the last first."""
    return [MadeView.model_validate(made) for made in await store.made(here.database, limit)]


@router.get("/reports/{kind}/{period}.html", response_class=HTMLResponse)
async def report_page(
    here: Context, who: Reader, kind: ReportKind, period: Period, district: District = None, unit: Unit = None,
    version: Version = None, language: Language = "",
) -> HTMLResponse:  # fmt: skip
    """Return a report as one page, in the language of Accept-Language."""
    kept = await _report(here, kind, period, _scope(here, who, district, unit), version)
    return await asyncio.to_thread(page, await _told(here, kept, language))


def _described(document: Document) -> dict[int | str, dict[str, object]]:
    file = {"schema": {"type": "string", "format": "binary"}}
    return {200: {"description": "The document", "content": {MEDIA_TYPES[document]: file}}}


@router.get("/reports/{kind}/{period}.docx", response_class=Response, responses=_described("docx"))
async def report_word(
    here: Context, who: Reader, kind: ReportKind, period: Period, district: District = None, unit: Unit = None,
    version: Version = None, language: Language = "",
) -> Response:  # fmt: skip
    """Return a report as a Word document."""
    kept = await _report(here, kind, period, _scope(here, who, district, unit), version)
    return await document(await _told(here, kept, language), "docx", f"{kind}-{kept.period}")


@router.get("/reports/{kind}/{period}.xlsx", response_class=Response, responses=_described("xlsx"))
async def report_excel(
    here: Context, who: Reader, kind: ReportKind, period: Period, district: District = None, unit: Unit = None,
    version: Version = None, language: Language = "",
) -> Response:  # fmt: skip
    """Return a report as a workbook, with tables that are too long for the page."""
    kept = await _report(here, kind, period, _scope(here, who, district, unit), version)
    return await document(await _told(here, kept, language), "xlsx", f"{kind}-{kept.period}")


@router.get("/reports/{kind}/{period}")
async def show_report(
    here: Context, who: Reader, kind: ReportKind, period: Period, district: District = None, unit: Unit = None,
    version: Version = None, language: Language = "",
) -> ReportView:  # fmt: skip
    """Return a report as data. Once its period is over it is kept, and always the same; 503 while it is being made."""
    return await _view(here, await _report(here, kind, period, _scope(here, who, district, unit), version), language)


@router.post("/reports/{kind}/{period}", status_code=201)
async def renew_report(
    who: Renewer, here: Context, kind: ReportKind, period: Period, district: District = None, unit: Unit = None,
    language: Language = "",
) -> ReportView:  # fmt: skip
    """Make another version of a report of a period that is over, say after a ruling; those before it stay."""
    kept = await handlers.renew(here, kind, _spans(here, kind, period), _scope(here, who, district, unit))
    return await _view(here, kept, language)


async def document(report: Report, form: Document, name: str) -> Response:
    """Return a report as a file to keep."""
    headers = {"Content-Disposition": f'attachment; filename="{name}.{form}"'}
    return Response(await written(report, form), media_type=MEDIA_TYPES[form], headers=headers)


async def _report(here: Here, kind: ReportKind, period: str, scope: Scope, version: int | None) -> Kept:
    spans = _spans(here, kind, period)
    if version is None:
        return await handlers.report(here, kind, spans, scope)
    kept = await store.report(here.database.pool, kind, spans.now.name, scope.name, version)
    if kept is None:
        raise Problem(404, "no such version")
    return kept


def _spans(here: Here, kind: ReportKind, period: str) -> Spans:
    try:
        return spans_of(kind, period, handlers.days_of(here))
    except ValueError as error:
        raise wrong_field("period", str(error)) from error


def _scope(here: Here, who: Principal, district: str | None, unit: str | None) -> Scope:
    """Return what a report is of. Raises Problem 422 for what is not of the city, 403 for what is out of sight."""
    units = here.engine.city.units
    if district is not None and unit is not None:
        raise wrong_field("unit", "must not be given with a district")
    if district is not None and f"d-{district}" not in units:
        raise wrong_field("district", "must be the six digits of a district of the city")
    if unit is not None and unit not in units:
        raise wrong_field("unit", "must be the code of a unit of the city")
    seen = seen_units(here, who)
    if seen is not None and (f"d-{district}" if district else unit) not in seen:
        raise Problem(403, "this key sees reports of its own units and of those below them")
    return Scope("district", district) if district else Scope("unit", unit) if unit else Scope()


async def _told(here: Here, kept: Kept, language: str) -> Report:
    return await asyncio.to_thread(handlers.told, here, kept, handlers.MESSAGES.preferred(language))


async def _view(here: Here, kept: Kept, language: str) -> ReportView:
    return ReportView(
        kind=kept.kind, period=kept.period, scope=kept.scope, version=kept.version, made_at=kept.made_at,
        closed=kept.closed, report=await _told(here, kept, language),
    )  # fmt: skip
