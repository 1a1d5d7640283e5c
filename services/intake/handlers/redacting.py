"""What is done to one appeal behind the door: the personal data out, emergencies seen, nothing of it told yet."""

from dataclasses import asdict, dataclass
from uuid import UUID

from libs.common.city.emergencies import Emergency
from libs.common.contracts.vocabulary import Location, Receipt
from libs.common.messaging.transaction import Tx
from libs.common.runtime.privacy import Pseudonyms, Redactor
from services.intake import store
from services.intake.appeal import Appeal
from services.intake.domain import Ticket, emergencies_in
from services.intake.handlers.around import Engine, Here
from services.intake.handlers.sealing import appeal_of, redactor_of, seal_marks
from services.intake.handlers.telling import reach


def redacted(engine: Engine, row: store.Sealed) -> tuple[Ticket, store.Sealed]:
    """Open an appeal, take the personal data out, and see whether it is an emergency."""
    appeal = appeal_of(engine, row)
    redactor = Redactor(appeal.known())
    title, text, address = (redactor.redact(t) if t else None for t in (appeal.title, appeal.text, appeal.address))
    called, language = _called(engine, appeal), _language(engine, appeal)
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
        language=language,
        state="answered" if called else "open",
        answer=engine.messages.emergency(called, language) if called else None,
        emergency=called[0].number if called else None,
        device=appeal.external_ref if appeal.channel == "sensor" else None,
        service=appeal.service,
        ways=tuple(reach(appeal.reporter)),
        confidential=appeal.reporter.confidential,
        handled_by=appeal.handled_by,
    )
    return ticket, seal_marks(engine, row, redactor.marks) if redactor.marks else row


@dataclass(frozen=True, slots=True)
class CallNow:
    """Whom to call at once: the most urgent number and whose it is, and what to tell the citizen, naming all."""

    number: str
    name: str
    text: str


def call_now(engine: Engine, appeal: Appeal) -> CallNow | None:
    """Return whom the citizen must call at once, by the words as they came; None if it is no emergency."""
    if not (called := _called(engine, appeal)):
        return None
    language = _language(engine, appeal)
    name = engine.messages.read(asdict(called[0].name), language)
    return CallNow(called[0].number, name, engine.messages.emergency(called, language))


def _called(engine: Engine, appeal: Appeal) -> tuple[Emergency, ...]:
    return emergencies_in(f"{appeal.title or ''}\n{appeal.text}", engine.emergencies)


def _language(engine: Engine, appeal: Appeal) -> str:
    return appeal.language or engine.languages.of(f"{appeal.title or ''}\n{appeal.text}")


def _pseudonym(pseudonyms: Pseudonyms, appeal: Appeal) -> str | None:
    """Return who appeals, where it is sure: a phone, the name of what is no person, or a mail address.

    Two persons may share a name.
    """
    reporter = appeal.reporter
    if reporter.anonymous:
        return None
    if reporter.phone:
        return pseudonyms.of("phone", reporter.phone)
    if reporter.name and reporter.type != "person":
        return pseudonyms.of(reporter.type, reporter.name)
    return pseudonyms.of("email", reporter.email) if reporter.email else None


async def redact_for(tx: Tx, here: Here, ticket_id: UUID, text: str) -> str:
    """Take the personal data out of what is said of an appeal; its originals join the others in the vault."""
    (row,) = await store.sealed(tx.connection, [ticket_id])
    redactor = redactor_of(here.engine, row)
    known = len(redactor.marks)
    text = redactor.redact(text)
    if len(redactor.marks) > known:
        await store.save_marks(tx, [seal_marks(here.engine, row, redactor.marks)])
    return text


def receipt_of(ticket: Ticket) -> Receipt:
    """Return what other services may know of an appeal."""
    return Receipt(
        number=ticket.number, channel=ticket.channel, kind=ticket.kind, title=ticket.title, text=ticket.text,
        reporter=ticket.reporter, reporter_type=ticket.reporter_type, anonymous=ticket.anonymous,
        address=ticket.address,
        location=Location(lat=ticket.lat, lon=ticket.lon or 0.0) if ticket.lat is not None else None,
        occurred_at=ticket.occurred_at, received_at=ticket.received_at, access_needs=ticket.access_needs,
        language=ticket.language, attachments=ticket.attachments, handled_by=ticket.handled_by,
    )  # fmt: skip
