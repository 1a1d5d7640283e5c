"""Which repeats are not asked, because their reporter is asked about the same word through another ticket."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from uuid import UUID

from libs.common.messaging.transaction import Tx
from services.feedback import store
from services.feedback.domain import Facts, Review, Sibling, Ticket, Word, asked_through

Person = tuple[UUID, str]
"""Somebody's pseudonym, and the ticket that theirs repeat."""


async def asked_elsewhere(
    tx: Tx, known: Mapping[UUID, Facts], reviews: Mapping[UUID, Sequence[Review]], parents: Mapping[UUID, Ticket]
) -> set[UUID]:
    """Return the tickets of a batch that are not asked: who also sent the parent, or repeated it before, is once."""
    mine = {id_: (facts.linked.parent, facts.reporter) for id_, facts in known.items() if facts.linked}
    people = {id_: (parent, who) for id_, (parent, who) in mine.items() if who and parents[parent].word}
    if not people:
        return set()
    siblings: dict[Person, list[Sibling]] = defaultdict(list)
    for row in await store.siblings(tx, set(people.values())):
        if row.ticket_id not in known:
            siblings[row.person].append(Sibling(row.ticket_id, _asked(parents[row.person[0]].word, row.asked)))
    for id_, person in people.items():
        if not known[id_].withdrawn:
            asked = [(review.about, review.round) for review in reviews[id_] if review.state != "closed"]
            siblings[person].append(Sibling(id_, _asked(parents[person[0]].word, asked)))
    return {id_ for id_, person in people.items() if _elsewhere(id_, person, siblings[person], parents)}


def _elsewhere(id_: UUID, person: Person, siblings: Sequence[Sibling], parents: Mapping[UUID, Ticket]) -> bool:
    parent, who = person
    return parents[parent].reporter == who or (bool(siblings) and asked_through(siblings) != id_)


def _asked(word: Word | None, asked: Sequence[tuple[UUID, int]]) -> bool:
    return word is not None and (word.about, word.round) in asked
