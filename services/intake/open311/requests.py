"""Service requests: sent, and read as anyone may read them."""

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta

from starlette.datastructures import UploadFile

from libs.common.runtime.problems import Problem
from services.intake import handlers
from services.intake.domain import service_of, status, words_public
from services.intake.handlers import Shown, Wanted
from services.intake.open311.arguments import moment, wrong
from services.intake.open311.call import Call
from services.intake.open311.formats import Document, Value
from services.intake.open311.sending import LONGEST_DESCRIPTION, appeal_of, repeated_as
from services.intake.open311.services import named

SPAN = timedelta(days=90)
MOST = 1000
DEEPEST = 100_000
CHUNK_BYTES = 256 * 1024
_NUMBER = re.compile(r"\d{8}-\d{7}")


async def post_request(call: Call) -> Document:
    """Receive a service request."""
    sender = call.writer()
    appeal = appeal_of(call)
    now = call.here.clock.now()
    if call.test:
        return _accepted(call, f"test-{appeal.service}-{int(now.timestamp())}", ["notice_test"])
    files = [await handlers.upload(call.here, sender.name, _chunks(file)) for file in call.arguments.files]
    known = {"external_ref": repeated_as(call, sender.name, now), "attachments": tuple(file.file_id for file in files)}
    appeal = appeal.model_copy(update=known)
    accepted = await handlers.receive_open311(call.here, sender.name, appeal)
    return _accepted(call, accepted.number, ["notice", *(["notice_media"] if appeal.media_url else [])])


async def _chunks(file: UploadFile) -> AsyncIterator[bytes]:
    while chunk := await file.read(CHUNK_BYTES):
        yield chunk


def _accepted(call: Call, number: str, notices: Sequence[str]) -> Document:
    notice = " ".join(call.say(name) for name in notices)
    return Document("service_requests", [{"service_request_id": number, "service_notice": notice, "account_id": None}])


async def get_token(call: Call) -> Document:
    """Tell the request of a token. Numbers are given at once here, so a request's number is its own token."""
    token = call.path["token"]
    if not await _found(call, [token]):
        raise Problem(404, "token: is not known here")
    return Document("service_requests", [{"service_request_id": token, "token": token}])


async def get_request(call: Call) -> Document:
    """Show one request."""
    shown = await _found(call, [call.path["service_request_id"]])
    if not shown:
        raise Problem(404, "service_request_id: is not known here, or not public")
    return Document("service_requests", shown)


async def get_requests(call: Call) -> Document:
    """Show requests: those named, or those that match, newest first."""
    if named_ones := call.arguments.many("service_request_id"):
        if len(named_ones) > MOST:
            raise wrong("service_request_id", f"must name at most {MOST}")
        return Document("service_requests", await _found(call, named_ones))
    wanted = wanted_by(call)
    shown = [] if call.test else await handlers.newest_public(call.here, wanted)
    return Document("service_requests", await asyncio.to_thread(_views, call, shown))


async def _found(call: Call, numbers: Sequence[str]) -> list[Value]:
    if call.test:
        return [view for number in numbers if (view := _test_view(call, number))]
    own = [number for number in numbers if _NUMBER.fullmatch(number)]
    return _views(call, await handlers.find_public(call.here, own, call.client) if own else [])


def wanted_by(call: Call) -> Wanted:
    """Return which requests a call asks for. Raises Problem 400 naming the argument that is wrong."""
    given = call.arguments
    since, until = span(call, "start_date", "end_date", SPAN)
    states = set(given.many("status") or ("open", "closed"))
    if states - {"open", "closed"}:
        raise wrong("status", "must be open, closed, or both")
    size = count(call, "page_size", MOST, MOST)
    changed = None
    if given.get("updated_after") or given.get("updated_before"):
        changed = span(call, "updated_after", "updated_before", SPAN)
    return Wanted(
        since=since,
        until=until,
        services=given.many("service_code"),
        open=None if len(states) == 2 else "open" in states,
        changed=changed,
        limit=size,
        offset=(count(call, "page", 1, DEEPEST // size) - 1) * size,
    )


def span(call: Call, first: str, last: str, longest: timedelta) -> tuple[datetime, datetime]:
    """Return a span of time: what was asked for, or `longest` back from now. Its last second is within it."""
    start, end = at(call, first), at(call, last)
    if end is None:
        end = min(start + longest, call.here.clock.now()) if start else call.here.clock.now()
    if start is None:
        start = end - longest
    if end - start > longest:
        raise wrong(f"{first}, {last}", f"must not span more than {longest.days} days")
    return start, end + timedelta(seconds=1)


def at(call: Call, name: str) -> datetime | None:
    """Return an instant that was sent, None if it was not. Raises Problem 400 for what is none."""
    text = call.arguments.get(name)
    if text is None:
        return None
    instant = moment(text, call.here.engine.timezone)
    if instant is None:
        raise wrong(name, "must be a date and time such as 2026-03-02T12:00:00+08:00")
    return instant


def count(call: Call, name: str, otherwise: int, most: int) -> int:
    """Return a number that was sent, from 1 to `most`. Raises Problem 400 for another."""
    text = call.arguments.get(name)
    if text is None:
        return otherwise
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and 1 <= int(text) <= most):
        raise wrong(name, f"must be a number from 1 to {most}")
    return int(text)


def w3c(instant: datetime | None) -> str | None:
    """Return an instant in the W3C's format, in UTC and to the second: what every client can read."""
    return f"{instant.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" if instant else None


def _views(call: Call, shown: Sequence[Shown]) -> list[Value]:
    return [_view(call, one) for one in shown]


def _view(call: Call, shown: Shown) -> Value:
    listed, ticket, facts = shown.listed, shown.ticket, shown.facts
    state = status(ticket.state, facts) if ticket else "received"
    closed_at = facts.closed.at if facts.closed and state == "closed" else None
    return _request(
        call,
        number=listed.number,
        service=listed.service,
        is_open=listed.open,
        received_at=listed.received_at,
        more={
            "status_notes": call.here.engine.messages.status(state, call.language),
            "description": _description(call, shown),
            "agency_responsible": _agency(call, shown),
            "updated_datetime": w3c(closed_at or shown.updated_at),
            "expected_datetime": w3c(facts.due.at) if facts.due else None,
            "address": ticket.address if ticket else None,
            "lat": ticket.lat if ticket else None,
            "long": ticket.lon if ticket else None,
        },
    )


def _request(
    call: Call, *, number: str, service: str | None, is_open: bool, received_at: datetime, more: dict[str, Value]
) -> Value:
    """Return a request with every field of the specification, in its order; what is not known is null."""
    known = call.here.engine.city.services.by_code.get(service or "")
    told: dict[str, Value] = {
        "service_request_id": number,
        "status": "open" if is_open else "closed",
        "status_notes": None,
        "service_name": named(known.name, call.language) if known else None,
        "service_code": service,
        "description": None,
        "agency_responsible": None,
        "service_notice": None,
        "requested_datetime": w3c(received_at),
        "updated_datetime": w3c(received_at),
        "expected_datetime": None,
        "address": None,
        "address_id": None,
        "zipcode": None,
        "lat": None,
        "long": None,
        "media_url": None,
    }
    return told | more


def _description(call: Call, shown: Shown) -> str | None:
    """Return the words of a request where they are public, else what it was found to be about."""
    ticket, facts = shown.ticket, shown.facts
    if ticket is None:
        return None
    if words_public(ticket):
        return ticket.text[:LONGEST_DESCRIPTION]
    service = service_of(ticket, facts, call.here.engine.city.services)
    category = facts.classified.category if facts.classified else None
    question = next((q for q in service.questions if q.category == category), None) if service else None
    return (question.name_en if call.language.startswith("en") else question.l3) if question else None


def _agency(call: Call, shown: Shown) -> str | None:
    unit = shown.facts.led.unit if shown.facts.led else None
    if unit is None:
        return None
    known = call.here.engine.city.units.get(unit.code)
    return named(known.name, call.language) if known else unit.name


_TEST_NUMBER = re.compile(r"test-([a-z0-9\-]{1,40})-(\d{1,11})")


def _test_view(call: Call, number: str) -> Value:
    """Return a request of the test endpoint, all of which is in its number; None if it is no such number."""
    found = _TEST_NUMBER.fullmatch(number)
    if not found or found[1] not in call.here.engine.city.services.by_code:
        return None
    received_at = datetime.fromtimestamp(int(found[2]), UTC)
    more: dict[str, Value] = {"status_notes": call.say("notice_test")}
    return _request(call, number=number, service=found[1], is_open=True, received_at=received_at, more=more)
