"""Complaints about articles: raised by staff, or by a citizen's review itself; settled by the owner."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID, uuid5

from libs.common.city.seeing import under
from libs.common.contracts.classify import ArticleDisputed
from libs.common.contracts.vocabulary import UnitRef
from libs.common.messaging.transaction import Tx
from libs.common.runtime.problems import Problem, wrong_field
from libs.common.runtime.security import Principal
from services.classify import store
from services.classify.domain import Article, Complaint, Facts, grievance, resolve
from services.classify.handlers.around import Here

REVIEW = "review"
"""Who complains where a citizen's review does."""
EPOCH = datetime.fromtimestamp(0, UTC)
_NAMESPACE = UUID("6f0c3a5e-2f64-5d0a-9a55-7c2f1f0f7a11")


def subject_of(article_id: str) -> str:
    """Return the aggregate of an article; no ticket is called so."""
    return f"article:{article_id}"


def unit_of(here: Here, code: str) -> UnitRef:
    """Return a unit by its code; one that the city has no more by the code alone."""
    unit = here.engine.shelf.units.get(code)
    return UnitRef(code=code, name=unit.name.zh if unit else code)


def may_settle(here: Here, who: Principal, owner: str) -> bool:
    """Say whether a holder settles what is said of a unit's articles: as the unit, from above it, or as an analyst."""
    above = who.may("supervisor") and owner in under(who.units, here.engine.shelf.below)
    return above or who.may("analyst") or who.acts_for(owner)


async def raise_(tx: Tx, here: Here, complaint: Complaint) -> Complaint:
    """Keep a complaint and tell the article's owner, unless its author said just that. Raises Problem 404 or 422."""
    await tx.lock([subject_of(complaint.article_id)])
    article = await store.version_of(tx.connection, complaint.article_id, complaint.version)
    if article is None:
        raise Problem(404, "no such version of such an article")
    passages = await store.passages_of(tx.connection, complaint.article_id, complaint.version)
    if complaint.anchor and complaint.anchor not in {passage.anchor for passage in passages}:
        raise wrong_field("passage", "must be one of this version")
    known = await store.same_complaint(tx, complaint)
    return known or (await _open(tx, here, {complaint.complaint_id: complaint}))[0]


async def settle(tx: Tx, complaint: Complaint, by: str, note: str | None, version: int | None) -> Complaint:
    """Follow the owner who answers a complaint or imported a better version. Raises NotPossibleError."""
    await tx.lock([subject_of(complaint.article_id)])
    fresh = (await store.complaints_by_id(tx.connection, [complaint.complaint_id]))[complaint.complaint_id]
    latest = (await store.latest_of(tx.connection, [complaint.article_id]))[complaint.article_id]
    settled = resolve(fresh, latest, by, note, version, tx.now)
    await store.save_complaints(tx, [settled])
    return settled


async def follow(tx: Tx, here: Here, tickets: Mapping[UUID, Facts]) -> None:
    """Complain for each citizen whom the article that was read out did not help; once, whatever else comes later."""
    found = [_of_review(ticket_id, facts) for ticket_id, facts in tickets.items()]
    new = {complaint.complaint_id: complaint for complaint in found if complaint}
    if new:
        await tx.lock([subject_of(complaint.article_id) for complaint in new.values()])
        known = await store.complaints_by_id(tx.connection, new)
        await _open(tx, here, {id_: one for id_, one in new.items() if id_ not in known})


def _of_review(ticket_id: UUID, facts: Facts) -> Complaint | None:
    reason, read = grievance(facts), facts.read_out
    if reason is None or read is None or not read.version.isdecimal() or len(read.version) > 9:
        return None
    # By what it is about, so that it is opened once, and not again when it was settled.
    id_ = uuid5(_NAMESPACE, f"{ticket_id}/{read.article_id}/{read.version}")
    return Complaint(id_, read.article_id, int(read.version), None, "", ticket_id, reason, None, REVIEW, EPOCH)


async def _open(tx: Tx, here: Here, new: Mapping[UUID, Complaint]) -> list[Complaint]:
    """Store complaints about articles that exist, for who owns these now."""
    latest = await store.latest_of(tx.connection, {complaint.article_id for complaint in new.values()})
    owned = [(latest[one.article_id], one) for one in new.values() if _is_there(latest.get(one.article_id), one)]
    opened = [replace(complaint, owner=article.owner, opened_at=tx.now) for article, complaint in owned]
    await store.save_complaints(tx, opened)
    for (article, _), complaint in zip(owned, opened, strict=True):
        tx.emit(subject_of(complaint.article_id), _disputed(here, article, complaint))
    return opened


def _is_there(latest: Article | None, complaint: Complaint) -> bool:
    return latest is not None and 1 <= complaint.version <= latest.version


def _disputed(here: Here, article: Article, complaint: Complaint) -> ArticleDisputed:
    return ArticleDisputed(
        article_id=complaint.article_id, version=str(complaint.version), title=article.title,
        owner=unit_of(here, complaint.owner), complaint_id=complaint.complaint_id, reason=complaint.reason,
        passage=complaint.anchor, ticket=complaint.ticket_id, at=complaint.opened_at,
    )  # fmt: skip
