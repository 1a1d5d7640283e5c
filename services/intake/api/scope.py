"""What the line accepts, what belongs elsewhere, and the grounds for a ruling, for anyone to read."""

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, TypeAdapter

from libs.common.city.scope import How, Verdict
from services.intake.api.around import Context

router = APIRouter()


class NameView(BaseModel):
    """What something is called, or a text, in both languages."""

    zh: str
    en: str


class AcceptedView(BaseModel):
    """A kind of appeal that the line takes."""

    code: str
    name: NameView
    text: NameView


class BodyView(BaseModel):
    """A body outside the city's units, and how it is reached; by `system` the centre passes appeals on to it."""

    code: str
    name: NameView
    how: How
    phone: str | None
    web: str | None


class ElsewhereView(AcceptedView):
    """What others decide, and who."""

    bodies: list[BodyView]


class GroundView(BaseModel):
    """A ground on which an appeal may be ruled upon, and what proves it."""

    code: str
    verdict: Verdict
    name: NameView
    evidence: NameView


class ScopeView(BaseModel):
    """What the line accepts 受理范围. A ruling on one of the grounds bears on how units are scored, on nothing else."""

    accepted: list[AcceptedView]
    elsewhere: list[ElsewhereView]
    grounds: list[GroundView]
    bodies: list[BodyView]


_VIEW = TypeAdapter(ScopeView)


@router.get("/scope")
async def get_scope(here: Context) -> ScopeView:
    """Return what the line accepts, in Chinese and English."""
    city = here.engine.city
    bodies: dict[str, Any] = {code: asdict(body) for code, body in city.bodies.items()}
    plain = asdict(city.scope)
    for entry in plain["elsewhere"]:
        entry["bodies"] = [bodies[code] for code in entry["bodies"]]
    return _VIEW.validate_python({**plain, "bodies": list(bodies.values())})
