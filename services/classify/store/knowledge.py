"""Articles in their versions, the passages they are found by, and complaints about them."""

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from libs.common.messaging.transaction import Tx
from libs.common.runtime.rows import Rows
from services.classify.domain import Article, Candidate, Complaint, Passage

ARTICLES = Rows("articles", Article, key=("article_id", "version"))
PASSAGES = Rows("passages", Passage, key=("article_id", "version", "anchor"))
COMPLAINTS = Rows("complaints", Complaint, key=("complaint_id",))
CANDIDATES = Rows("found", Candidate, key=("article_id", "version", "anchor"))

SUPERSEDE = """
UPDATE articles a SET latest = false, ends_at = least(a.ends_at, newer.starts_at)
FROM unnest($1::text[], $2::bigint[], $3::timestamptz[]) newer(article_id, version, starts_at)
WHERE a.article_id = newer.article_id AND a.version < newer.version
"""
DROP_PASSAGES = """
DELETE FROM passages p USING unnest($1::text[], $2::bigint[]) gone(article_id, version)
WHERE p.article_id = gone.article_id AND p.version = gone.version
"""
ADD_PASSAGES = """
INSERT INTO passages
SELECT article_id, version, anchor, heading, text, asked::jsonb, meant, array_to_tsvector(string_to_array(terms, ' '))
FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bytea[], $8::text[])
    AS t(article_id, version, anchor, heading, text, asked, meant, terms)
"""
# The terms are letters and digits, so a blank parts them, and quotation marks keep the parser from reading more.
FIND = """
WITH wanted AS MATERIALIZED (
    SELECT format('''%s''', term)::tsquery AS term, weight FROM unnest($2::text[], $3::float8[]) AS t(term, weight)
), found AS (
    SELECT p.article_id, p.version, p.anchor, p.heading, p.text, p.asked, p.meant, a.title, a.owner, a.source,
        a.starts_at, a.expires_at, a.codes, a.model, a.meant AS elsewhere
    FROM passages p JOIN articles a USING (article_id, version)
    WHERE p.terms @@ $4::text::tsquery AND a.starts_at <= $1 AND (a.ends_at IS NULL OR a.ends_at > $1)
    ORDER BY (SELECT sum(weight) FROM wanted WHERE p.terms @@ wanted.term) DESC, p.article_id, p.version, p.anchor
    LIMIT $5
)
SELECT * FROM found
"""
LINKED = """
WHERE codes ? $1 AND starts_at <= $2 AND (ends_at IS NULL OR ends_at > $2) ORDER BY article_id LIMIT $3
"""
LISTED = """
WHERE latest AND ($1::text IS NULL OR owner = $1) AND (imported_at, version_id) > ($2, $3)
ORDER BY imported_at, version_id LIMIT $4
"""
NEEDING = """
WHERE latest AND ($1::text IS NULL OR owner = $1) AND (review_at <= $2 OR expires_at <= $3)
    AND (imported_at, version_id) > ($4, $5) ORDER BY imported_at, version_id LIMIT $6
"""
COMPLAINED = """
WHERE ($1::text IS NULL OR owner = $1) AND ($2::text IS NULL OR article_id = $2)
    AND ($3::boolean IS NULL OR (resolved_at IS NULL) = $3) AND (opened_at, complaint_id) > ($4, $5)
ORDER BY opened_at, complaint_id LIMIT $6
"""
SAME = """
WHERE article_id = $1 AND version = $2 AND anchor IS NOT DISTINCT FROM $3 AND ticket_id IS NOT DISTINCT FROM $4
    AND reason = $5 AND note IS NOT DISTINCT FROM $6 AND by = $7 AND resolved_at IS NULL
"""
FORGET = "UPDATE complaints SET note = NULL, resolution = NULL WHERE ticket_id = ANY($1)"
After = tuple[datetime, UUID]


async def latest_of(connection: Any, articles: Collection[str]) -> dict[str, Article]:
    """Return the newest version of each article that exists."""
    found = await ARTICLES.load(connection, "WHERE latest AND article_id = ANY($1)", list(articles))
    return {article.article_id: article for article in found}


async def versions_of(connection: Any, article_id: str) -> list[Article]:
    """Return all versions of an article, the newest first."""
    return await ARTICLES.load(connection, "WHERE article_id = $1 ORDER BY version DESC", article_id)


async def version_of(connection: Any, article_id: str, version: int) -> Article | None:
    """Return one version of an article."""
    found = await ARTICLES.load(connection, "WHERE article_id = $1 AND version = $2", article_id, version)
    return found[0] if found else None


async def passages_of(connection: Any, article_id: str, version: int) -> list[Passage]:
    """Return the passages of a version in their order."""
    where = "WHERE article_id = $1 AND version = $2 ORDER BY string_to_array(anchor, '.')::int[]"
    return await PASSAGES.load(connection, where, article_id, version)


async def save_articles(tx: Tx, articles: Sequence[Article]) -> None:
    """Store versions as they are now; older ones end where a new one begins."""
    keys = [a.article_id for a in articles], [a.version for a in articles]
    await tx.connection.execute(SUPERSEDE, *keys, [a.starts_at for a in articles])
    await ARTICLES.save(tx.connection, articles)


async def save_passages(tx: Tx, passages: Mapping[tuple[str, int], Sequence[tuple[Passage, str]]]) -> None:
    """Replace the passages of versions. With each come the terms it is found by, parted by blanks."""
    await tx.connection.execute(DROP_PASSAGES, [id_ for id_, _ in passages], [version for _, version in passages])
    rows = [(*key, passage, terms) for key, some in passages.items() for passage, terms in some]
    plain = ("anchor", "heading", "text")
    columns = [[getattr(passage, name) for _, _, passage, _ in rows] for name in plain]
    asked = [json.dumps(passage.asked, ensure_ascii=False) for _, _, passage, _ in rows]
    await tx.connection.execute(
        ADD_PASSAGES, [row[0] for row in rows], [row[1] for row in rows], *columns, asked,
        [passage.meant for _, _, passage, _ in rows], [terms for *_, terms in rows],
    )  # fmt: skip


async def candidates(
    connection: Any, terms: Sequence[str], weights: Sequence[float], at: datetime, most: int
) -> list[Candidate]:
    """Return the passages in force that share the weightiest of these terms."""
    anything = " | ".join(f"'{term}'" for term in terms)
    rows = await connection.fetch(FIND, at, list(terms), list(weights), anything, most)
    return [CANDIDATES.read(row) for row in rows]


async def linked(connection: Any, code: str, at: datetime, limit: int) -> list[Article]:
    """Return the articles in force that are linked to a question of the catalogue."""
    return await ARTICLES.load(connection, LINKED, code, at, limit)


async def listed(connection: Any, owner: str | None, after: After, limit: int) -> list[Article]:
    """Return the newest versions of articles in the order of their import, from behind `after`."""
    return await ARTICLES.load(connection, LISTED, owner, *after, limit)


async def needing(
    connection: Any, owner: str | None, reviewed: datetime, expiring: datetime, after: After, limit: int
) -> list[Article]:
    """Return the newest versions whose review is due by one time, or which expire by the other."""
    return await ARTICLES.load(connection, NEEDING, owner, reviewed, expiring, *after, limit)


async def same_complaint(tx: Tx, new: Complaint) -> Complaint | None:
    """Return the open complaint that says just this, if it was raised before."""
    what = (new.article_id, new.version, new.anchor, new.ticket_id, new.reason, new.note, new.by)
    found = await COMPLAINTS.load(tx.connection, SAME, *what)
    return found[0] if found else None


async def complaints_by_id(connection: Any, ids: Collection[UUID]) -> dict[UUID, Complaint]:
    """Return those of these complaints that exist."""
    found = await COMPLAINTS.load(connection, "WHERE complaint_id = ANY($1)", list(ids))
    return {complaint.complaint_id: complaint for complaint in found}


async def complained(
    connection: Any, owner: str | None, article_id: str | None, is_open: bool | None, after: After, limit: int
) -> list[Complaint]:
    """Return complaints, the oldest first, from behind `after`."""
    return await COMPLAINTS.load(connection, COMPLAINED, owner, article_id, is_open, *after, limit)


async def save_complaints(tx: Tx, complaints: Sequence[Complaint]) -> None:
    """Store complaints as they are now."""
    await COMPLAINTS.save(tx.connection, complaints)


async def forget_complaints(tx: Tx, tickets: Collection[UUID]) -> None:
    """Drop what was written in complaints about the answers to these tickets; nothing is asked for no tickets."""
    if tickets:
        await tx.connection.execute(FORGET, list(tickets))


async def keep_articles(tx: Tx, articles: Sequence[Article]) -> None:
    """Store what became of versions that exist."""
    await ARTICLES.save(tx.connection, articles)
