"""The knowledge base: articles are imported, found, and their owners reminded of them."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from io import BufferedRandom
from uuid import UUID

from libs.common.contracts.classify import ArticleDue
from libs.common.messaging.transaction import Tx
from libs.common.runtime.media.receiving import received
from libs.common.runtime.media.taking import Taken
from libs.common.runtime.media.verdict import NotTakenError, TooLargeError
from libs.common.runtime.problems import Problem, unknown_ticket
from libs.common.runtime.timers import Due
from services.classify import store
from services.classify.domain import (
    Article,
    Complaint,
    Content,
    Facts,
    NotPossibleError,
    Outcome,
    Passage,
    Scored,
    next_reminder,
    outcome_of,
    published,
    remind,
)
from services.classify.handlers.around import Here
from services.classify.handlers.disputing import raise_, settle, subject_of, unit_of
from services.classify.handlers.judging import MEMORY
from services.classify.knowledge import split, terms
from services.classify.knowledge.word import markdown_of

ARTICLE = "article"
"""Fires when an article needs its owner."""
CANDIDATES = 32
MOST_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Imported:
    """What came of an article: which version says now what was imported."""

    outcome: Outcome
    version: int


@dataclass(frozen=True, slots=True)
class _Read:
    """An article read: its passages with what they are found by and what they mean, and what its elsewhere means."""

    passages: Sequence[tuple[Passage, str]]
    elsewhere: bytes


async def text_of(here: Here, chunks: AsyncIterator[bytes]) -> str:
    """Take a file in and return its words; of a Word document as Markdown.

    Raises Problem: 408, 413, 415 and 422 for what the sender sent, 503 if too many send.
    """
    async with received(here.engine.uploads, chunks) as taken:
        return await _words_of(taken)


async def _words_of(taken: Taken) -> str:
    if taken.size > MOST_BYTES:
        raise TooLargeError(MOST_BYTES)
    if taken.format.name == "docx":
        return await markdown_of(taken.content)
    if taken.format.name in {"txt", "csv"}:
        return await asyncio.to_thread(_decoded, taken.content)
    raise NotTakenError("articles are taken as Markdown, CSV or Word (docx)")


def _decoded(content: BufferedRandom) -> str:
    content.seek(0)
    return content.read().decode()


async def import_articles(here: Here, contents: Sequence[Content], by: str, *, dry_run: bool) -> list[Imported]:
    """Publish what is new in these articles, all or none, and return what came of each. A dry run changes nothing."""
    latest = await store.latest_of(here.database.pool, [content.article_id for content in contents])
    if dry_run:
        return [_imported(content, latest.get(content.article_id)) for content in contents]
    todo = [content for content in contents if _is_news(here, content, latest.get(content.article_id))]
    read = {content.article_id: await asyncio.to_thread(_read, here, content) for content in todo}
    async with here.database.begin() as tx:
        await tx.lock([subject_of(content.article_id) for content in todo])
        latest |= await store.latest_of(tx.connection, list(read))
        imported = [_imported(content, latest.get(content.article_id)) for content in contents]
        await _publish(tx, here, todo, latest, read, by)
    return imported


def _imported(content: Content, latest: Article | None) -> Imported:
    outcome, version = outcome_of(content, latest), latest.version if latest else 0
    return Imported(outcome, version if outcome == "unchanged" else version + 1)


def _is_news(here: Here, content: Content, latest: Article | None) -> bool:
    """Say whether an article must be read: it is new, or was read by another sentence model."""
    return outcome_of(content, latest) != "unchanged" or latest is None or latest.model != here.engine.finder.model


def _read(here: Here, content: Content) -> _Read:
    finder = here.engine.finder
    passages = finder.read(content.title, split(content.body, content.asked))
    found_by = [(passage, " ".join(terms(content.title, passage))) for passage in passages]
    return _Read(found_by, finder.meant(content.elsewhere))


async def _publish(
    tx: Tx, here: Here, todo: Sequence[Content], latest: Mapping[str, Article], read: Mapping[str, _Read], by: str
) -> None:
    model, articles = here.engine.finder.model, []
    for content in todo:
        before, meant = latest.get(content.article_id), read[content.article_id].elsewhere
        if before is None or outcome_of(content, before) != "unchanged":
            articles.append(published(content, before, here.clock.new_id(), model, meant, by, tx.now))
        else:
            articles.append(replace(before, model=model, meant=meant))
    if articles:
        await store.save_articles(tx, articles)
        await store.save_passages(tx, {(a.article_id, a.version): read[a.article_id].passages for a in articles})
    for article in articles:
        _set_timer(tx, article)


def _set_timer(tx: Tx, article: Article) -> None:
    due = next_reminder(article)
    if due:
        tx.schedule(ARTICLE, subject_of(article.article_id), max(due, tx.now))
    else:
        tx.unschedule(ARTICLE, subject_of(article.article_id))


async def on_article(timers: Sequence[Due], tx: Tx, here: Here) -> None:
    """Articles need their owners: tell it, once for each reason."""
    found = await store.latest_of(tx.connection, [due.subject.partition(":")[2] for due in timers])
    reminded = [remind(article, tx.now) for article in found.values()]
    await store.keep_articles(tx, [article for article, _ in reminded])
    for article, dues in reminded:
        for due in dues:
            event = ArticleDue(
                article_id=article.article_id, version=str(article.version), title=article.title,
                owner=unit_of(here, article.owner), why=due.why, at=due.at,
            )  # fmt: skip
            tx.emit(subject_of(article.article_id), event)
        _set_timer(tx, article)


async def find(here: Here, question: str, at: datetime | None = None) -> list[Scored]:
    """Return the passages in force, now or at a time, that come nearest to a question, the surest first."""
    finder = here.engine.finder
    wanted = await asyncio.to_thread(finder.wanted, question)
    if not wanted.terms:
        return []
    found = await store.candidates(
        here.database.pool, wanted.terms, wanted.weights, at or here.clock.now(), CANDIDATES
    )  # fmt: skip
    return await asyncio.to_thread(finder.judge, wanted, found)


async def complain(tx: Tx, here: Here, complaint: Complaint) -> Complaint:
    """Keep what somebody says against an article. Raises Problem 404, or 409 for a ticket not heard of yet."""
    if complaint.ticket_id:
        facts = await _facts(tx, here, complaint.ticket_id)
        complaint = replace(complaint, note=None if facts.wordless else complaint.note)
    return await raise_(tx, here, complaint)


async def answer_complaint(
    tx: Tx, here: Here, complaint_id: UUID, by: str, note: str | None, version: int | None
) -> Complaint:  # fmt: skip
    """Settle a complaint. Raises Problem 404, or NotPossibleError."""
    complaint = (await store.complaints_by_id(tx.connection, [complaint_id])).get(complaint_id)
    if complaint is None:
        raise Problem(404, "no complaint has this id")
    if note is None and version is None:
        raise NotPossibleError("a complaint is settled by a note or by a newer version")
    # The ticket before the article, as wherever both are held.
    if complaint.ticket_id and (await _facts(tx, here, complaint.ticket_id)).wordless:
        note = None
    return await settle(tx, complaint, by, note, version)


async def _facts(tx: Tx, here: Here, ticket_id: UUID) -> Facts:
    await tx.lock([str(ticket_id)])
    if not tx.aggregate(str(ticket_id)).known and not await store.verdicts_of(tx, [ticket_id]):
        raise unknown_ticket(ticket_id, here.clock)
    return MEMORY.of(tx, str(ticket_id))
