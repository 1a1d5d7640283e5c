"""What is done to one appeal behind the door: the personal data out, emergencies seen, nothing of it told yet."""

from libs.common.contracts.vocabulary import Location, Receipt
from libs.common.runtime.privacy import Pseudonyms, Redactor
from services.intake import repeats, store
from services.intake.appeal import Appeal
from services.intake.domain import Ticket, emergency_in
from services.intake.handlers.around import Engine
from services.intake.handlers.opening import seal_marks


def redacted(engine: Engine, row: store.Sealed) -> tuple[Ticket, store.Sealed]:
    """Open an appeal, take the personal data out, and see whether it is an emergency."""
    appeal = Appeal.model_validate_json(engine.vault.open(row.appeal, row.ticket_id.bytes))
    redactor = Redactor(appeal.known())
    title, text, address = (redactor.redact(t) if t else None for t in (appeal.title, appeal.text, appeal.address))
    emergency = emergency_in(f"{appeal.title or ''}\n{appeal.text}", engine.emergencies)
    ticket = Ticket(
        ticket_id=row.ticket_id,
        number=row.number,
        client=row.client,
        channel=appeal.channel,
        kind=appeal.kind,
        title=title,
        text=text or "",
        reporter=_pseudonym(engine.pseudonyms, appeal),
        reporter_type=appeal.reporter.type,
        anonymous=appeal.reporter.anonymous,
        address=address,
        lat=round(appeal.location.lat, 4) if appeal.location else None,
        lon=round(appeal.location.lon, 4) if appeal.location else None,
        occurred_at=appeal.occurred_at,
        received_at=row.received_at,
        access_needs=appeal.access_needs,
        language=appeal.language,
        likeness=repeats.likeness(appeal.text, appeal.address),
        state="answered" if emergency else "open",
        answer=engine.messages.emergency(emergency, appeal.language) if emergency else None,
        emergency=emergency.number if emergency else None,
    )
    return ticket, seal_marks(engine, row, redactor.marks) if redactor.marks else row


def _pseudonym(pseudonyms: Pseudonyms, appeal: Appeal) -> str | None:
    """Return who appeals, where it is sure: a phone, or the name of what is no person. Two persons may share a name."""
    reporter = appeal.reporter
    if reporter.anonymous:
        return None
    if reporter.phone:
        return pseudonyms.of("phone", reporter.phone)
    return pseudonyms.of(reporter.type, reporter.name) if reporter.name and reporter.type != "person" else None


def receipt_of(ticket: Ticket) -> Receipt:
    """Return what other services may know of an appeal."""
    return Receipt(
        number=ticket.number, channel=ticket.channel, kind=ticket.kind, title=ticket.title, text=ticket.text,
        reporter=ticket.reporter, reporter_type=ticket.reporter_type, anonymous=ticket.anonymous,
        address=ticket.address,
        location=Location(lat=ticket.lat, lon=ticket.lon or 0.0) if ticket.lat is not None else None,
        occurred_at=ticket.occurred_at, received_at=ticket.received_at, access_needs=ticket.access_needs,
        language=ticket.language,
    )  # fmt: skip
