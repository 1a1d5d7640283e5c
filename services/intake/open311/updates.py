"""Updates of service requests, the extension FixMyStreet brought: what happened, and words to add."""

import asyncio
from datetime import timedelta

from libs.common.runtime.problems import Problem
from services.intake import handlers
from services.intake.domain import Entry, NotPossibleError, words_public
from services.intake.handlers import Shown
from services.intake.open311.arguments import wrong
from services.intake.open311.call import Call
from services.intake.open311.formats import Document, Value
from services.intake.open311.requests import DEEPEST, MOST, count, span, w3c
from services.intake.open311.sending import LONGEST_DESCRIPTION

SPAN = timedelta(days=31)
RECENT = timedelta(days=1)
CLOSING = frozenset(
    {"ticket.answered", "ticket.answered.article", "ticket.transferred", "ticket.withdrawn", "ticket.closed"}
)
TOLD = (
    "ticket.linked", "ticket.unlinked", "ticket.classified", "ticket.reclassified", "ticket.dispatched",
    "ticket.reassigned", "ticket.accepted", "ticket.contacted", "ticket.contacted.missed", "ticket.progressed",
    "ticket.returned", "ticket.ruled", "ticket.resolved", "ticket.reopened", "ticket.unanswered", "transfer.returned",
    *sorted(CLOSING),
)  # fmt: skip
"""What of a timeline is an update. What the sender added itself, and how it was asked for its review, is not."""
WORDS = {
    "ticket.progressed": "note", "ticket.resolved": "reply", "ticket.answered": "answer",
    "ticket.answered.article": "answer",
}  # fmt: skip
"""Lines with words written for one citizen: others read only that it happened."""
STATES = (
    "OPEN", "CLOSED", "FIXED", "IN_PROGRESS", "ACTION_SCHEDULED", "INVESTIGATING", "DUPLICATE",
    "NOT_COUNCILS_RESPONSIBILITY", "NO_FURTHER_ACTION", "INTERNAL_REFERRAL", "REOPEN", "FOR_TRIAGE",
)  # fmt: skip


async def get_updates(call: Call) -> Document:
    """Tell what happened to public requests, or with a key to those its holder sent; 1,000 a page, oldest first."""
    given = call.arguments
    longest = SPAN if given.get("start_date") or given.get("end_date") else RECENT
    since, until = span(call, "start_date", "end_date", longest)
    page = count(call, "page", 1, DEEPEST // MOST)
    if call.test:
        return Document("service_request_updates", [])
    lines = await handlers.public_lines(call.here, since, until, TOLD, call.client, (page - 1) * MOST)
    return Document("service_request_updates", await asyncio.to_thread(lambda: [_view(call, *line) for line in lines]))


def _view(call: Call, entry: Entry, shown: Shown) -> Value:
    return {
        "update_id": str(entry.event_id),
        "service_request_id": shown.listed.number,
        "status": "closed" if entry.type in CLOSING else "open",
        "external_status_code": entry.type.partition(".")[2],
        "updated_datetime": w3c(entry.at),
        "description": _description(call, entry, shown),
        "media_url": None,
    }


def _description(call: Call, entry: Entry, shown: Shown) -> str:
    params = dict(entry.params)
    word = WORDS.get(entry.type)
    words = params.pop(word, None) if word else None
    told = call.say("update", entry.type, **params)
    public = shown.ticket is not None and words_public(shown.ticket)
    return f"{told}\n{words}" if words and public else told


async def post_update(call: Call) -> Document:
    """Add what its sender says of a request. Nothing it says closes a request: that is for the citizen to say."""
    sender = call.writer()
    given = call.arguments
    number = given.get("service_request_id")
    if number is None:
        raise wrong("service_request_id", "is required")
    text = _words(call)
    if call.test:
        return _accepted(str(call.here.clock.new_id()))
    (shown,) = await handlers.find_public(call.here, [number], sender.name) or (None,)
    if shown is None or shown.listed.client != sender.name:
        raise Problem(404, "service_request_id: is not known here, or was not sent with this key")
    update_id = given.get("update_id") or given.get("update_id_ext")
    try:
        return _accepted(str(await handlers.update_request(call.here, shown.listed, update_id, text)))
    except NotPossibleError as error:
        raise Problem(400, "service_request_id: is closed; send a new request") from error


def _accepted(update_id: str) -> Document:
    return Document("service_request_updates", [{"update_id": update_id, "account_id": None}])


def _words(call: Call) -> str:
    """Return an update's words, and what its sender's platform holds the matter for."""
    given = call.arguments
    state = (given.get("status") or "OPEN").upper()
    if state not in STATES:
        raise wrong("status", f"must be one of {', '.join(STATES)}")
    description = given.get("description") or ""
    if len(description) > LONGEST_DESCRIPTION:
        raise wrong("description", f"must have at most {LONGEST_DESCRIPTION} characters")
    said = call.here.engine.messages.say("zh", "open311", "said", state) if state != "OPEN" else ""
    if not description and not said:
        raise wrong("description", "is required")
    return "\n".join(part for part in (description, said) if part)
