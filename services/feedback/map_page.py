"""The public page of the map: a tile for each district, and what most people have. No key, no JavaScript."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import HTMLResponse

from libs.common.runtime.http import Line
from services.feedback.api.around import Context
from services.feedback.api.mapping import place_names
from services.feedback.domain.periods import MONTH
from services.feedback.domain.releases import Spot
from services.feedback.handlers import Here, mapping
from services.feedback.pages import MESSAGES, PAGES

router = APIRouter(prefix="/feedback/v1", tags=["pages"], include_in_schema=False)
MOST = 100
"""Lines of the page; all of it is at /public/map."""


@dataclass(frozen=True, slots=True)
class Tile:
    """A district on the map, with the sums of all lines that tell of it."""

    code: str
    name: str
    column: int
    row: int
    appeals: int
    solved: int


@router.get("/public")
async def show(
    here: Context, period: Annotated[str | None, Query(pattern=MONTH)] = None, district: Line | None = None
) -> HTMLResponse:
    """Show the map of a month, the last one if none is named: of the city, or of one district."""
    made = await mapping.mapped(here, period)
    names = place_names(here)
    listed = [spot for spot in made.spots if district in {None, spot.district}][:MOST]
    return PAGES.show(
        "map.html", release=made.release, spots=listed, tiles=_tiles(here, made.spots), places=names,
        wide=max((column for column, _ in here.engine.city.grid.values()), default=0) + 1,
        district=district if district in names else None, k=here.engine.city.extracts.k,
        zh=partial(MESSAGES.say, "zh", "map"), en=partial(MESSAGES.say, "en", "map"),
    )  # fmt: skip


def _tiles(here: Here, spots: Sequence[Spot]) -> list[Tile]:
    short = {unit.district: unit.short for unit in here.engine.city.units.values() if unit.kind == "district"}
    mine: dict[str, list[Spot]] = defaultdict(list)
    for spot in spots:
        mine[spot.district].append(spot)
    return [
        Tile(
            code, short.get(code, code), column + 1, row + 1, sum(spot.appeals for spot in mine[code]),
            sum(spot.solved for spot in mine[code]),
        )
        for code, (column, row) in here.engine.city.grid.items()
    ]  # fmt: skip
