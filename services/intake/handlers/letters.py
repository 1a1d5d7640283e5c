"""Messages to citizens as they go out: addressed from the vault, with the links that open what they speak of."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from pydantic import TypeAdapter

from libs.common.runtime.notify import Letter, Notice
from libs.common.runtime.privacy import VaultError
from services.intake import store
from services.intake.domain import Supporter, Way
from services.intake.handlers.around import Here
from services.intake.handlers.sealing import appeal_of
from services.intake.handlers.telling import FOLLOWER, LINK, REVIEW, STOP, TICKET, reach

CONTACT: TypeAdapter[dict[Way, str]] = TypeAdapter(dict[Way, str])
"""What is sealed of a follower: where to write to."""


async def letters(here: Here, notices: Sequence[Notice]) -> dict[str, Letter]:
    """Address messages to citizens from the vault, and put their links in. Who was erased has no way left."""
    to_tickets = [n for n in notices if n.to.startswith(TICKET)]
    to_followers = [n for n in notices if n.to.startswith(FOLLOWER)]
    async with here.database.pool.acquire() as connection:
        rows = {row.ticket_id: row for row in await store.sealed(connection, {_whose(n) for n in to_tickets})}
        followers = await store.supporters_of(connection, {_whose(n) for n in to_followers})
        keys = await store.contact_keys(connection, followers)
    return {
        **{n.key: _for_reporter(here, n, rows.get(_whose(n))) for n in to_tickets},
        **{n.key: _for_follower(here, n, followers.get(_whose(n)), keys) for n in to_followers},
    }


def _whose(notice: Notice) -> UUID:
    return UUID(notice.to.partition(":")[2])


def _for_reporter(here: Here, notice: Notice, row: store.Sealed | None) -> Letter:
    engine, whose = here.engine, _whose(notice)
    round_ = notice.key.rpartition("/")[2]
    link = f"{here.settings.base_url}/intake/tickets/{whose}?code={engine.codes.of(whose)}"
    text = notice.text.replace(LINK, link).replace(REVIEW, engine.review_link(whose, int(round_)))
    try:
        found = reach(appeal_of(engine, row).reporter) if row else {}
    except VaultError:
        found = {}
    return Letter(text, _ways(here, found))


def _for_follower(here: Here, notice: Notice, follower: Supporter | None, keys: Mapping[UUID, bytes]) -> Letter:
    if follower is None or follower.contact is None:
        return Letter("", {})
    base, id_ = here.settings.base_url, follower.supporter_id
    stop = f"{base}/intake/following/{id_}/{here.engine.passes.stop(id_)}"
    text = notice.text.replace(LINK, f"{base}/intake/public/{follower.ticket_id}").replace(STOP, stop)
    try:
        contact = here.engine.vault.open(follower.contact, id_.bytes, keys.get(id_))
    except VaultError:
        return Letter(text, {})
    return Letter(text, _ways(here, CONTACT.validate_json(contact)))


def _ways(here: Here, found: Mapping[Way, str]) -> dict[str, str]:
    """Return the ways that lead out of the house, or all, so that it is recorded that none does."""
    open_ = {way: to for way, to in found.items() if way in here.engine.telling.gateways}
    return {way: f"{way}:{to}" for way, to in (open_ or found).items()}
