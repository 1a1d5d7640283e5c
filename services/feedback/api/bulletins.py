"""Bulletins of months in words, for streets, districts, departments and companies."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Header
from pydantic import BaseModel

from libs.common.contracts.vocabulary import UnitRef
from libs.common.runtime.http import Clean
from services.feedback.api.around import Context, Month, Reader, UnitCode
from services.feedback.api.scores import Version, published
from services.feedback.domain.bulletins import Section, Sentence
from services.feedback.handlers import bulletins
from services.feedback.handlers.scores import unit_of
from services.feedback.handlers.seeing import seen_units
from services.feedback.messages import Messages

router = APIRouter()
MESSAGES = Messages.load()
Reading = Annotated[str, Header(alias="accept-language"), Clean]


class SectionView(BaseModel):
    """Part of a bulletin: its figures, how they compare, what falls short, work ahead of appeals, the area, rulings."""

    section: Section
    lines: list[str]


class BulletinView(BaseModel):
    """A unit's bulletin of a month in the reader's language, as a version has it. `at` is when that was published."""

    unit: UnitRef
    period: str
    version: int
    at: datetime
    language: str
    title: str
    sections: list[SectionView]


@router.get("/bulletins/{period}/{unit}")
async def show_bulletin(
    here: Context, who: Reader, period: Month, unit: UnitCode, accept: Reading = "", version: Version = None
) -> BulletinView:
    """Show the bulletin of a unit, of its own work and of all that stand under it, Chinese unless asked otherwise."""
    seen_units(here, who, unit)
    asked = await published(here, period, version)
    said, language = await bulletins.bulletin(here, asked, unit), MESSAGES.preferred(accept)
    shown = UnitRef(code=unit, name=unit_of(here, unit).name)
    params = {"unit": shown.name, "period": period, "version": asked.version}
    return BulletinView(
        unit=shown, period=period, version=asked.version, at=asked.at, language=language,
        title=MESSAGES.say(language, "bulletin", "title", **params), sections=_sections(said, language),
    )  # fmt: skip


def _sections(said: list[Sentence], language: str) -> list[SectionView]:
    lines: dict[Section, list[str]] = {}
    for one in said:
        params = {name: _word(name, value, language) for name, value in one.params.items()}
        lines.setdefault(one.section, []).append(MESSAGES.say(language, "bulletin", one.section, one.text, **params))
    return [SectionView(section=section, lines=of_section) for section, of_section in lines.items()]


def _word(name: str, value: object, language: str) -> object:
    """Return a parameter as it is read; a fault is named by the catalogue."""
    return MESSAGES.say(language, "bulletin", "fault", str(value)) if name == "fault" else value
