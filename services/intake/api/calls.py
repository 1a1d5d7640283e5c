"""Line quality over HTTP: call records come in, what each line was worth goes out."""

from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import AfterValidator, BaseModel, Field, StringConstraints, model_validator

from libs.common.runtime.http import Body, Line, Moment
from libs.common.runtime.privacy import Redactor
from libs.common.runtime.problems import wrong_field
from libs.common.runtime.security import Principal, require
from services.intake import handlers
from services.intake.api.around import Context, IdempotencyKey, Period
from services.intake.domain import Call, Quality

router = APIRouter()
Switch = Annotated[Principal, Depends(require("adapter", "importer"))]
Reader = Annotated[Principal, Depends(require("seat", "supervisor", "analyst", "operator"))]
FUTURE_SECONDS = 300
"""How far a switch's clock may be ahead of ours."""


@lru_cache(maxsize=1000)
def _no_ones_number(line: str) -> str:
    # It travels in events. A switch that sends the caller's number where the line's belongs is told at once.
    if Redactor([]).redact(line) != line:
        raise ValueError("must name a line, such as 12345, 010-12345 or 12345-web, and not a number that a person has")
    return line


LineName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9+_.-]{1,40}$"), AfterValidator(_no_ones_number)]


class CallRecord(Body):
    """One call offered to a line. A call with a `call_id` is recorded once, however often it is sent.

    `explained` says of a test call that was answered whether the policy was explained clearly.
    """

    line: LineName
    offered_at: Moment
    answered: bool
    abandoned: bool = False
    wait_seconds: Annotated[float, Field(ge=0, le=86_400, allow_inf_nan=False)]
    test_call: bool = False
    explained: bool | None = None
    call_id: Line | None = None

    @model_validator(mode="after")
    def _one_end(self) -> "CallRecord":
        if self.answered and self.abandoned:
            raise ValueError("a call is either answered or abandoned; neither, when the line failed")
        return self


class CallRecords(Body):
    """Up to 10,000 calls, of one line or several."""

    calls: Annotated[tuple[CallRecord, ...], Field(min_length=1, max_length=10_000)]


class Recorded(BaseModel):
    """How many calls were recorded now, and how many were known from before."""

    recorded: int
    repeated: int


@dataclass(frozen=True, slots=True)
class LineView(Quality):
    """One line."""

    line: str


class LinesView(BaseModel):
    """The lines of the city over a period. A line that nobody called, not even for a test, is not there."""

    period: str
    lines: list[LineView]
    all: Quality


@router.post("/calls", status_code=202)
async def post_calls(
    here: Context,
    sender: Switch,
    records: CallRecords,
    idempotency_key: IdempotencyKey = None,
) -> Recorded:
    """Record calls in bulk, all or none; counted by the hour of the offer, test calls apart."""
    here.keys.admit(sender)
    latest = here.clock.now().timestamp() + FUTURE_SECONDS
    for place, record in enumerate(records.calls):
        if record.offered_at.timestamp() > latest:
            raise wrong_field(f"calls.{place}.offered_at", "must not lie in the future")
        if record.explained is not None and not (record.test_call and record.answered):
            raise wrong_field(f"calls.{place}.explained", "may be told only of a test call that was answered")
    named = [(_name(record, place, idempotency_key), _call(record)) for place, record in enumerate(records.calls)]
    async with here.database.begin() as tx:
        recorded = await handlers.record_calls(tx, here, sender.name, named)
    return Recorded(recorded=recorded, repeated=len(named) - recorded)


def _name(record: CallRecord, place: int, key: str | None) -> str | None:
    if record.call_id is not None:
        return f"id {record.call_id}"
    return f"key {place} {key}" if key is not None else None


def _call(record: CallRecord) -> Call:
    return Call(
        line=record.line,
        offered_at=record.offered_at,
        answered=record.answered,
        abandoned=record.abandoned,
        wait_seconds=record.wait_seconds,
        test_call=record.test_call,
        explained=record.explained,
    )


@router.get("/lines")
async def get_lines(
    here: Context,
    _: Reader,
    period: Period,
) -> LinesView:
    """Show the quality of every line over a day, a month or a year."""
    by_line, together = await handlers.line_quality(here, period)
    lines = [LineView(line=line, **asdict(quality)) for line, quality in by_line.items()]
    return LinesView(period=period, lines=lines, all=together)
