"""Notices: how a service tells a person something without a remote call inside a transaction.

A notice is a row, written in the transaction of the effect that causes it. A courier takes what is due, sends it with
no transaction open, and writes down what became of it: `sent`; `waiting` for the next try; `failed` after the last;
`unknown` when it may have arrived or not, so that trying again could tell it twice; `no_address` when nobody said where
the address leads. Nothing is deleted, and who has a key is told once.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from urllib.parse import quote

import httpx
import structlog
from apprise import Apprise, AppriseAsset, NotifyFormat
from prometheus_client import Counter
from pydantic import TypeAdapter

from libs.common.runtime.clock import Clock
from libs.common.runtime.database import Database
from libs.common.runtime.directory import Directory
from libs.common.runtime.settings import Settings

LIMIT = 16
"""Notices taken at a time. All of them are sent at once, so a crash leaves no more than these unknown."""
THREADS = 2 * LIMIT
POLL_SECONDS = 1.0
CONNECT_SECONDS = 3.0
SEND_SECONDS = 8.0
"""Less than a process that was asked to stop waits for the step in hand."""
LEASE_SECONDS = 60.0
PAUSES = (10.0, 30.0, 60.0, 120.0, 120.0, 120.0, 120.0, 120.0, 300.0, 600.0, 1800.0)
"""Seconds before the second try, the third, and so on; what fails after the last has failed.

For eleven minutes not over two, so that what a gateway missed is told soon after it is back: a warning is worth little
after its limit.
"""
HOLDING_TRIES = 8
"""For so many tries, eleven minutes, a message that does not get through keeps others to its desk behind it."""
DESK = "unit:"
"""What an address of an office begins with. It is told of many things, and in their order."""
SMS, MAIL = "sms:", "mail:"
NO_GATEWAY = "no_gateway"
"""Why a notice failed whose gateway no setting names. It is not tried again, for settings do not change meanwhile."""
TITLE = "接诉即办"

NOTICES = Counter("jiesu_notices_total", "Notices by what became of them", ["service", "state"])
ASSET = AppriseAsset(app_id="Jiesu", app_desc="Jiesu", app_url="", service_timeout=0)
"""Without a limit of its own, apprise sends in the thread it is called in."""

log = structlog.get_logger(__name__)
for _quoting in ("apprise", "httpx", "urllib3"):
    # Their lines quote addresses, and with them the tokens of robots and gateways. What matters is told here.
    logging.getLogger(_quoting).setLevel(logging.CRITICAL + 1)

ENQUEUE = """
INSERT INTO notices (key, "to", text, state, error, created_at, next_at, ended_at)
SELECT key, "to", text, CASE WHEN error IS NULL THEN 'waiting' ELSE 'failed' END, error, $6,
    CASE WHEN error IS NULL THEN coalesce(at, $6) END, CASE WHEN error IS NOT NULL THEN $6 END
FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::text[]) AS n(key, "to", text, at, error)
ON CONFLICT DO NOTHING
"""
HOLDING = f"""
    o.state = 'waiting' AND o.attempts BETWEEN 1 AND {HOLDING_TRIES}
    AND o.error NOT IN ('http_400', 'http_413', 'http_422')
    AND NOT jsonb_path_exists(o.outcomes, '$.*.state ? (@ == "sent")')
"""
"""Whether a notice `o` keeps others to its desk waiting: no way there works, and that is not for its own words.

What is new for that desk is best gathered until it arrives: told then, it may be one message instead of many.
"""
# A desk hears of things in their order: only the first of what waits for it is sent, tried again, and so on.
TAKE = f"""
UPDATE notices SET state = 'sending', attempts = attempts + 1, next_at = $2 WHERE key = ANY(ARRAY(
    SELECT key FROM notices n WHERE state = 'waiting' AND next_at <= $1 AND NOT ("to" LIKE '{DESK}%' AND EXISTS (
        SELECT FROM notices o WHERE o."to" = n."to" AND o.next_at IS NOT NULL
        AND (o.created_at, o.key) < (n.created_at, n.key)
        AND (o.state = 'sending' OR o.attempts = 0 AND o.next_at <= $1 OR {HOLDING})))
    ORDER BY next_at, created_at, key LIMIT $3 FOR UPDATE SKIP LOCKED))
RETURNING key, "to", text, attempts, outcomes
"""  # noqa: S608 constants
LOSE = """
UPDATE notices SET state = 'unknown', error = 'courier_lost', next_at = NULL, ended_at = $1
WHERE state = 'sending' AND next_at <= $1 RETURNING key
"""
# By the number of the try as well: a courier that comes back after its lease knows more than the one that gave it up.
MARK = """
UPDATE notices n SET state = m.state, error = m.error, outcomes = m.outcomes::jsonb, next_at = m.next_at,
    ended_at = CASE WHEN m.next_at IS NULL THEN $7::timestamptz END
FROM unnest($1::text[], $2::int[], $3::text[], $4::text[], $5::text[], $6::timestamptz[])
    AS m(key, attempts, state, error, outcomes, next_at)
WHERE n.key = m.key AND n.attempts = m.attempts
"""

# What is settled as sent on one way is not sent there again.
RESEND = """
UPDATE notices SET state = 'waiting', attempts = 0, error = NULL, next_at = $2, ended_at = NULL, outcomes = (
    SELECT coalesce(jsonb_object_agg(way, outcome), '{}') FROM jsonb_each(outcomes) AS o(way, outcome)
    WHERE outcome ->> 'state' = 'sent')
WHERE key = ANY($1) AND state IN ('failed', 'unknown', 'no_address') RETURNING key
"""

_UNSENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol, httpx.InvalidURL)


@dataclass(frozen=True, slots=True)
class Notice:
    """Something to tell. Two notices of one `key`, which is ASCII, are one.

    `to` is an address in the platform's own terms, such as `unit:dept-water` or `ticket:<id>`; never a citizen's. `at`
    is when to tell it, if not at once. What fails before it could be tried has an `error` from the start.
    """

    key: str
    to: str
    text: str
    at: datetime | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Letter:
    """A notice as it goes out: its words, and its ways (`sms:…`, `mail:…`) under names that give nothing away.

    `unless_named`: a line of the directory for the very address goes before it.
    """

    text: str
    ways: Mapping[str, str]
    unless_named: bool = False


Letters = Callable[[Sequence[Notice]], Awaitable[Mapping[str, Letter]]]
"""Makes letters, by key, of those notices whose addresses the service itself knows."""


async def enqueue(connection: Any, notices: Sequence[Notice], now: datetime) -> None:
    """Have these told once the transaction of `connection` is committed; none whose key was ever used before."""
    if notices:
        # Sorted, so that two transactions that tell the same cannot deadlock.
        told = sorted(notices, key=lambda notice: notice.key)
        columns = zip(*((n.key, n.to, n.text, n.at, n.error) for n in told), strict=True)
        await connection.execute(ENQUEUE, *map(list, columns), now)


async def resend(connection: Any, keys: Sequence[str], now: datetime) -> list[str]:
    """Have what ended without arriving for certain told once more, under the same idempotency key.

    Returns which of these it is done for. Where one that is `unknown` had arrived, it is told twice, unless the gateway
    knows its key.
    """
    return [row["key"] for row in await connection.fetch(RESEND, list(keys), now)]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one notice on one way. `failed` is certain not to have arrived."""

    state: Literal["sent", "failed", "unknown"]
    error: str | None = None


_OUTCOMES: TypeAdapter[dict[str, Outcome]] = TypeAdapter(dict[str, Outcome])


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of a notice. `pause` is the seconds until the next try, None if there is none."""

    state: Literal["sent", "waiting", "failed", "unknown", "no_address"]
    error: str | None = None
    pause: float | None = None


def fate(outcomes: Mapping[str, Outcome], attempts: int) -> Fate:
    """Judge a notice by its ways after so many tries: it is sent when each way is; a failure weighs most."""
    if not outcomes:
        return Fate("no_address")
    worst = min(outcomes.values(), key=lambda outcome: ("failed", "unknown", "sent").index(outcome.state))
    if worst.state == "failed" and worst.error != NO_GATEWAY and attempts <= len(PAUSES):
        return Fate("waiting", worst.error, PAUSES[attempts - 1])
    return Fate(worst.state, worst.error)


class Courier:
    """One process's share in sending a service's notices. `step` is run by a `Loop`."""

    def __init__(
        self, service: str, database: Database, clock: Clock, directory: Directory, settings: Settings,
        letters: Letters | None = None,
    ) -> None:  # fmt: skip
        self._service = service
        self._database = database
        self._clock = clock
        self._directory = directory
        self._letters = letters
        self._gateway = settings.sms_gateway
        self._mail = settings.mail_gateway
        # No connection is kept: one that the gateway closed meanwhile would leave an outcome unknown for nothing.
        self._http = httpx.AsyncClient(
            timeout=httpx.Timeout(SEND_SECONDS, connect=CONNECT_SECONDS),
            limits=httpx.Limits(max_keepalive_connections=0),
        )
        # Its own, so that a robot that hangs takes no thread from those who work.
        self._threads = ThreadPoolExecutor(THREADS, "courier")

    async def step(self) -> float:
        """Send what is due and return the seconds until something else may be."""
        self._directory.refresh()
        now = self._clock.now()
        for lost in await self._database.pool.fetch(LOSE, now):
            self._tell(lost["key"], Fate("unknown", "courier_lost"))
        taken = await self._database.pool.fetch(TAKE, now, self._later(LEASE_SECONDS), LIMIT)
        if taken:
            letters = await self._addressed(taken)
            await self._mark(taken, await asyncio.gather(*(self._deliver(row, letters[row["key"]]) for row in taken)))
        return 0 if taken else POLL_SECONDS

    def _later(self, seconds: float) -> datetime:
        """Return a time so many real seconds from now: who is waited for lives by no other clock."""
        return self._clock.now() + timedelta(seconds=seconds * self._clock.rate)

    async def _addressed(self, taken: Sequence[Any]) -> dict[str, Letter | Outcome]:
        """Return each notice as a letter, or why there is none now. Never raises: what was taken must be marked."""
        found: Mapping[str, Letter] = {}
        if self._letters:
            try:
                found = await self._letters([Notice(row["key"], row["to"], row["text"]) for row in taken])
            except Exception as error:  # noqa: BLE001 whatever it was, nothing was sent and it may be tried again
                return {row["key"]: Outcome("failed", type(error).__name__) for row in taken}
        return {row["key"]: self._letter(row, found.get(row["key"])) for row in taken}

    def _letter(self, row: Any, found: Letter | None) -> Letter:
        if found and not (found.unless_named and self._directory.names(row["to"])):
            return found
        return Letter(row["text"], self._directory.ways(row["to"]))

    async def _deliver(self, row: Any, letter: Letter | Outcome) -> dict[str, Outcome]:
        """Send a notice on each way that is not settled yet, and return what became of all. Never raises."""
        before = _OUTCOMES.validate_python(row["outcomes"])
        settled = {name: outcome for name, outcome in before.items() if outcome.state != "failed"}
        if isinstance(letter, Outcome):
            return settled | {"address": letter}
        ways = {name: way for name, way in letter.ways.items() if name not in settled}
        keys = [f"{self._service}/{row['key']}/{name}" for name in ways]
        sent = await asyncio.gather(*map(self._send, keys, ways.values(), [letter.text] * len(ways)))
        return settled | dict(zip(ways, sent, strict=True))

    async def _send(self, key: str, way: str, text: str) -> Outcome:
        try:
            if way.startswith(SMS):
                return await self._by_sms(way.removeprefix(SMS), key, text)
            if way.startswith(MAIL):
                return await self._by_mail(way.removeprefix(MAIL), text)
            return await self._by_apprise(way, text)
        except Exception as error:  # noqa: BLE001 whatever it was, the message may have been out before
            return Outcome("unknown", type(error).__name__)

    async def _by_sms(self, to: str, key: str, text: str) -> Outcome:
        """Post to the gateway, which may drop what has a key it knows. Raises if it is not known what it made of it."""
        if not self._gateway:
            return Outcome("failed", NO_GATEWAY)
        try:
            answer = await self._http.post(
                self._gateway, json={"to": to, "text": text, "key": key}, headers={"Idempotency-Key": key}
            )
        except _UNSENT as error:
            return Outcome("failed", type(error).__name__)
        if answer.is_success:
            return Outcome("sent")
        timed_out = answer.status_code == httpx.codes.GATEWAY_TIMEOUT
        return Outcome("unknown" if timed_out else "failed", f"http_{answer.status_code}")

    async def _by_mail(self, to: str, text: str) -> Outcome:
        """Hand a mail to the server of the settings, an address of apprise's that lacks only the recipient."""
        if not self._mail:
            return Outcome("failed", NO_GATEWAY)
        return await self._by_apprise(f"{self._mail}{'&' if '?' in self._mail else '?'}to={quote(to, safe='')}", text)

    async def _by_apprise(self, url: str, text: str) -> Outcome:
        """Send by robot or mail, in a thread. Raises TimeoutError if it takes too long; the thread ends later."""
        sending = asyncio.get_running_loop().run_in_executor(self._threads, _apprise, url, text)
        return await asyncio.wait_for(sending, SEND_SECONDS)

    async def _mark(self, taken: Sequence[Any], found: Sequence[Mapping[str, Outcome]]) -> None:
        fates = [fate(outcomes, row["attempts"]) for row, outcomes in zip(taken, found, strict=True)]
        await self._database.pool.execute(
            MARK,
            [row["key"] for row in taken],
            [row["attempts"] for row in taken],
            [f.state for f in fates],
            [f.error for f in fates],
            [_OUTCOMES.dump_json(dict(outcomes)).decode() for outcomes in found],
            [None if f.pause is None else self._later(f.pause) for f in fates],
            self._clock.now(),
        )
        for row, its_fate in zip(taken, fates, strict=True):
            self._tell(row["key"], its_fate)

    def _tell(self, key: str, its_fate: Fate) -> None:
        NOTICES.labels(self._service, its_fate.state).inc()
        if its_fate.error:
            log.warning("notice", service=self._service, key=key, state=its_fate.state, error=its_fate.error)


def _apprise(url: str, text: str) -> Outcome:
    way = Apprise.instantiate(url, asset=ASSET)
    if way is None:
        return Outcome("failed", "bad_url")
    # Apprise tells no difference between what was refused and what was not answered in time, and only the first may
    # be tried again: so nothing but a connection may time out before SEND_SECONDS do. Mail has one limit for all.
    way.socket_connect_timeout = 2 * SEND_SECONDS if url.startswith("mailto") else CONNECT_SECONDS
    way.socket_read_timeout = 2 * SEND_SECONDS
    apprise = Apprise(way, asset=ASSET)
    return (
        Outcome("sent") if apprise.notify(text, TITLE, body_format=NotifyFormat.TEXT) else Outcome("failed", "refused")
    )
