"""Articles of the knowledge base 知识库: which version is in force, what is due, and complaints about an answer."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from libs.common.contracts.classify import ArticleWhy, DisputeReason
from services.classify.domain.verdicts import Facts, NotPossibleError

NOTICE = timedelta(days=30)
"""How long before an article expires its owner hears of it; a default of this project."""
Outcome = Literal["created", "updated", "unchanged"]


@dataclass(frozen=True, slots=True)
class Content:
    """What an article says, as it was imported. `asked` are ways people ask for all of it.

    `elsewhere` are questions that it is taken for and does not answer. Without `effective_at` it is in force at once.
    `review_at` and `expires_at` are midnights: the day of the review begins then, the last day in force is over.
    """

    article_id: str
    title: str
    body: str
    owner: str
    effective_at: datetime | None
    expires_at: datetime | None
    review_at: datetime | None
    source: str | None
    audience: str | None
    codes: tuple[str, ...]
    asked: tuple[str, ...]
    elsewhere: tuple[str, ...]
    digest: bytes


@dataclass(frozen=True, slots=True)
class Article:
    """One version of an article. `ends_at` is when it expires or a newer version takes over, whichever comes first.

    `meant` is what the questions it does not answer mean, in the numbers of the sentence model `model`. `told_until` is
    up to when its owner was reminded. The newest version is the `latest`, also before it is in force.
    """

    article_id: str
    version: int
    version_id: UUID
    title: str
    body: str
    owner: str
    starts_at: datetime
    ends_at: datetime | None
    expires_at: datetime | None
    review_at: datetime | None
    source: str | None
    audience: str | None
    codes: tuple[str, ...]
    asked: tuple[str, ...]
    elsewhere: tuple[str, ...]
    digest: bytes
    model: str
    meant: bytes
    latest: bool
    told_until: datetime | None
    imported_at: datetime
    imported_by: str


@dataclass(frozen=True, slots=True)
class Passage:
    """A part of an article that answers by itself, cited by its `anchor`: section and place in it, such as `2.1`.

    `asked` are ways people ask for it; `meant` is what they, it and its sentences mean.
    """

    anchor: str
    heading: str
    text: str
    asked: tuple[str, ...]
    meant: bytes = b""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A passage in force, with what is needed to judge and to cite it."""

    article_id: str
    version: int
    anchor: str
    heading: str
    text: str
    asked: tuple[str, ...]
    meant: bytes
    title: str
    owner: str
    source: str | None
    starts_at: datetime
    expires_at: datetime | None
    codes: tuple[str, ...]
    model: str
    elsewhere: bytes


@dataclass(frozen=True, slots=True)
class Scored:
    """A candidate, and how sure it is that it answers, from 0 to 1; None if nothing could judge that."""

    candidate: Candidate
    score: float | None


@dataclass(frozen=True, slots=True)
class Due:
    """Why an article needs its owner, and since when."""

    why: ArticleWhy
    at: datetime


@dataclass(frozen=True, slots=True)
class Complaint:
    """A complaint about what an article says, for the unit that owned it when it was raised.

    `anchor` names the passage. `note` and `resolution` are redacted, and None of a ticket whose words were deleted.
    `resolved_version` is the version that put it right, if one did.
    """

    complaint_id: UUID
    article_id: str
    version: int
    anchor: str | None
    owner: str
    ticket_id: UUID | None
    reason: DisputeReason
    note: str | None
    by: str
    opened_at: datetime
    resolved_at: datetime | None = None
    resolved_by: str | None = None
    resolution: str | None = None
    resolved_version: int | None = None


def outcome_of(content: Content, latest: Article | None) -> Outcome:
    """Return what the import of an article comes to."""
    if latest is None:
        return "created"
    return "unchanged" if latest.digest == content.digest else "updated"


def published(
    content: Content, latest: Article | None, version_id: UUID, model: str, meant: bytes, by: str, now: datetime
) -> Article:
    """Return the next version of an article."""
    return Article(
        content.article_id, latest.version + 1 if latest else 1, version_id, content.title, content.body, content.owner,
        starts_at=content.effective_at or now, ends_at=content.expires_at, expires_at=content.expires_at,
        review_at=content.review_at, source=content.source, audience=content.audience, codes=content.codes,
        asked=content.asked, elsewhere=content.elsewhere, digest=content.digest, model=model, meant=meant, latest=True,
        told_until=None, imported_at=now, imported_by=by,
    )  # fmt: skip


def in_force(article: Article, at: datetime) -> bool:
    """Say whether a version was in force at a time."""
    return article.starts_at <= at and (article.ends_at is None or at < article.ends_at)


def dues(article: Article) -> list[Due]:
    """Return when an article needs its owner, soonest first."""
    found = [Due("review", article.review_at)] if article.review_at else []
    if article.expires_at:
        found += [Due("expiring", article.expires_at - NOTICE), Due("expired", article.expires_at)]
    return sorted(found, key=lambda due: due.at)


def due_now(article: Article, now: datetime) -> list[Due]:
    """Return what an article needs its owner for now; what expired no longer expires."""
    found = [due for due in dues(article) if due.at <= now]
    over = any(due.why == "expired" for due in found)
    return [due for due in found if not (over and due.why == "expiring")]


def remind(article: Article, now: datetime) -> tuple[Article, list[Due]]:
    """Return the article with its owner reminded, and of what that was not told before."""
    told = article.told_until
    return replace(article, told_until=now), [due for due in due_now(article, now) if told is None or due.at > told]


def next_reminder(article: Article) -> datetime | None:
    """Return when there is something to remind of next."""
    told = article.told_until
    return next((due.at for due in dues(article) if told is None or due.at > told), None)


def grievance(facts: Facts) -> DisputeReason | None:
    """Return what the citizen's word says against the article that was read out; None if nothing."""
    if facts.read_out is None or facts.reviewed is None:
        return None
    if facts.reviewed.explained is False:
        return "unclear"
    return "not_answered" if facts.reviewed.resolved == "no" else None


def resolve(
    complaint: Complaint, latest: Article, by: str, note: str | None, version: int | None, now: datetime
) -> Complaint:
    """Return a complaint that its owner settled. Raises NotPossibleError if it is, or no newer version is named."""
    if complaint.resolved_at:
        raise NotPossibleError("this complaint is resolved")
    if version is not None and not complaint.version < version <= latest.version:
        raise NotPossibleError("the version must be one that was imported after the one complained of")
    return replace(complaint, resolved_at=now, resolved_by=by, resolution=note, resolved_version=version)
