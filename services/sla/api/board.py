"""The board over HTTP: counts, the clocks behind them as pages and as a table, and a stream of its changes."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query
from pydantic import AfterValidator, BaseModel, ConfigDict
from starlette.responses import StreamingResponse

from libs.common.contracts.vocabulary import ClockName, Light, UnitRef, Urgency
from libs.common.runtime.http import START, Cursor, Line, Page, page
from libs.common.runtime.problems import Problem
from libs.common.runtime.tables import BYTE_ORDER_MARK, MEDIA_TYPE, csv_lines
from services.sla import handlers, store
from services.sla.api.around import Context, Reader
from services.sla.domain import SOON, Board, Tally

router = APIRouter()
MOST_LISTENERS = 200
"""At once in one process: each costs a comparison of what it sees, once a second."""
STREAMED = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
"""So that nothing on the way keeps what is told now."""
PIECE = 500
"""Lines of a table that are read at a time."""
COLUMNS = (
    "ticket_id", "number", "round", "clock", "state", "light", "urgency", "category", "unit_code", "unit_name",
    "started_at", "due_at", "level", "late",
)  # fmt: skip


class TallyView(BaseModel):
    """Open clocks by light, `paused` ones among them; how many running ones come due within four hours, `soon`.

    `expected` is how many of these will be missed, as the clocks that ended before have it: the sum of their chances.
    `supervised` is how many cases of supervision are open on level 1, 2 and 3. These two may be ten seconds old.
    """

    model_config = ConfigDict(from_attributes=True)
    green: int
    yellow: int
    red: int
    paused: int
    soon: int
    expected: Annotated[float, AfterValidator(lambda chances: round(chances, 1))]
    supervised: list[int]


class UnitTally(TallyView):
    """Those of one unit; null before anybody leads."""

    unit: UnitRef | None


class CategoryTally(TallyView):
    """Those of one category of level 1, empty until it is known. Cases of supervision are not counted by category."""

    category: str


class BoardView(BaseModel):
    """The board as of `at`, for what the key sees; in a change only the lines that are not as they were."""

    at: datetime
    total: TallyView
    clocks: dict[str, TallyView]
    units: list[UnitTally]
    categories: list[CategoryTally]


class ClockLine(BaseModel):
    """One open clock. `level` is that of its ticket's open case of supervision.

    `late` is how likely it is missed, 0 to 1; null once that is known.
    """

    model_config = ConfigDict(from_attributes=True)
    ticket_id: UUID
    number: str
    round: int
    clock: ClockName
    state: Literal["running", "paused"]
    light: Light
    urgency: Urgency
    category: str
    unit: UnitRef | None
    started_at: datetime
    due_at: datetime
    level: int | None
    late: float | None = None


async def _units(here: Context, who: Reader, unit: Line | None = None) -> list[str] | None:
    return handlers.seen_units(here, who, unit)


Units = Annotated[list[str] | None, Depends(_units)]
"""Those the key sees, None for all; with `unit` that one and all under it."""


async def _wanted(
    here: Context,
    units: Units,
    light: Light | None = None,
    clock: ClockName | None = None,
    category: Annotated[Line | None, Query(description="of level 1")] = None,
    level: Annotated[int | None, Query(ge=1, le=3, description="of supervision, at least")] = None,
    soon: Annotated[bool, Query(description="only what runs and comes due within four hours")] = False,
) -> store.Wanted:
    now = here.clock.now()
    return store.Wanted(units, light, clock, category, level, (now, now + SOON) if soon else None)


Wanted = Annotated[store.Wanted, Depends(_wanted)]


@router.get("/board")
async def show_board(here: Context, units: Units) -> BoardView:
    """Count the open clocks by light, clock, unit and category, and the cases of supervision by level."""
    return _view(here, await handlers.look(here, units))


@router.get("/board/clocks")
async def list_board_clocks(
    here: Context, wanted: Wanted, cursor: Cursor, limit: Annotated[int, Query(ge=1, le=500)] = 100
) -> Page[ClockLine]:
    """List the clocks behind a number of the board, soonest due first. A page may be longer by what ends together."""
    lines = await store.board_lines(here.database, wanted, cursor, limit)
    now = here.clock.now()
    views = [
        ClockLine.model_validate(line).model_copy(update={"late": handlers.chance_of(here, line, now)})
        for line in lines
    ]
    return page(views, max(limit, len(views)), lambda view: (view.due_at, view.ticket_id))


@router.get("/board/clocks.csv", response_class=StreamingResponse, responses={200: {"content": {"text/csv": {}}}})
async def table_board_clocks(here: Context, wanted: Wanted) -> StreamingResponse:
    """Give the same clocks as one table, CSV in UTF-8 by RFC 4180; what would be a formula has a quote before it."""
    headers = {"Content-Disposition": 'attachment; filename="clocks.csv"'}
    return StreamingResponse(_table(here, wanted), media_type=MEDIA_TYPE, headers=headers)


async def _seat(here: Context, _: Reader) -> AsyncIterator[None]:
    """Keep a seat among the listeners for as long as the answer lasts."""
    watch = here.engine.watch
    if watch.listeners >= MOST_LISTENERS:
        raise Problem(503, "too many listen to the board already", headers={"Retry-After": "5"})
    watch.listeners += 1
    try:
        yield
    finally:
        watch.listeners -= 1


@router.get(
    "/board/stream",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {}}}},
    dependencies=[Depends(_seat)],
)
async def stream_board(
    here: Context, units: Units, last_event_id: Annotated[str | None, Header()] = None
) -> StreamingResponse:
    """Tell the board and then its changes as they are committed, as server-sent events.

    `board` is all of it, `change` the lines that are not as they were. Who comes again with Last-Event-ID is told all
    of it unless nothing changed. A comment every 15 s says that the stream lives; after 15 minutes it ends, to be
    opened again.
    """
    return StreamingResponse(_events(here, units, last_event_id), media_type="text/event-stream", headers=STREAMED)


async def _events(here: Context, units: Sequence[str] | None, known: str | None) -> AsyncIterator[str]:
    yield "retry: 2000\n\n"
    async for news in handlers.follow(here, units, known):
        if news.kind == "beat":
            yield ": still here\n\n"
        else:
            yield f"id: {news.id}\nevent: {news.kind}\ndata: {_view(here, news.board).model_dump_json()}\n\n"


async def _table(here: Context, wanted: store.Wanted) -> AsyncIterator[str]:
    yield BYTE_ORDER_MARK + csv_lines([COLUMNS])
    after = START
    while lines := await store.board_lines(here.database, wanted, after, PIECE):
        yield csv_lines([_cells(here, line) for line in lines])
        after = (lines[-1].due_at, lines[-1].ticket_id)


def _cells(here: Context, line: store.Line) -> list[object]:
    *names, _ = COLUMNS
    return [*(_cell(getattr(line, name)) for name in names), handlers.chance_of(here, line, here.clock.now())]


def _cell(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value


def _view(here: Context, board: Board) -> BoardView:
    units = here.engine.city.units
    return BoardView(
        at=here.clock.now(),
        total=TallyView.model_validate(board.total),
        clocks={name: TallyView.model_validate(tally) for name, tally in sorted(board.clocks.items())},
        units=[
            UnitTally(unit=UnitRef(code=code, name=units[code].name.zh if code in units else code), **_counts(tally))
            if code
            else UnitTally(unit=None, **_counts(tally))
            for code, tally in _worst_first(board.units)
        ],
        categories=[CategoryTally(category=name, **_counts(tally)) for name, tally in _worst_first(board.categories)],
    )


def _worst_first(lines: Mapping[str, Tally]) -> list[tuple[str, Tally]]:
    return sorted(lines.items(), key=lambda line: (-line[1].red, -line[1].yellow, line[0]))


def _counts(tally: Tally) -> dict[str, Any]:
    return TallyView.model_validate(tally).model_dump()
