"""Coverage figures from outside: brought in as a table, with date and source."""

from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, File, UploadFile
from pydantic import BaseModel, ConfigDict

from libs.common.city.problems import CityError
from libs.common.runtime.problems import MOST_ERRORS, FieldError, Problem
from services.feedback.api.around import Context, OfCity, Reader
from services.feedback.handlers import indices
from services.feedback.store import coverage as store

router = APIRouter()
LARGEST = 1_000_000
"""Bytes: some ten thousand figures."""


class FigureView(BaseModel):
    """A figure of an indicator in a district, as of a day; who counted it, and who brought it in when."""

    model_config = ConfigDict(from_attributes=True)
    indicator: str
    district: str
    as_of: date
    value: float
    source: str
    imported_at: datetime
    imported_by: str


class Kept(BaseModel):
    """How many figures were kept."""

    figures: int


@router.get("/coverage")
async def list_coverage(here: Context, _: Reader) -> list[FigureView]:
    """List all figures that were brought in, each with its date and source."""
    return [FigureView.model_validate(one) for one in await store.imported(here.database.pool)]


@router.post("/coverage")
async def post_coverage(
    here: Context, who: OfCity,
    file: Annotated[UploadFile, File(description="CSV in UTF-8: indicator,district,as_of,value,source.")],
) -> Kept:  # fmt: skip
    """Keep the figures of a table, all or none; one of the same indicator, district and day is replaced.

    For a supervisor of the city. Indicators are those that /indices/method lists, districts have six digits.
    """
    content = await file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise Problem(413, f"file: must have at most {LARGEST} bytes")
    try:
        async with here.database.begin() as tx:
            figures = await indices.bring_in(tx, here, content, who.name)
    except CityError as wrong:
        errors = [FieldError(*one.split(": ", 1)) for one in wrong.problems[:MOST_ERRORS]]
        what = f"file: {len(wrong.problems)} of its cells must be set right, and nothing was kept"
        raise Problem(422, what, errors=errors) from wrong
    return Kept(figures=len(figures))
