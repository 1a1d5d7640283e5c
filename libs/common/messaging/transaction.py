"""The one transaction. Every effect of an event, a command or a timer goes through a `Tx`.

Lock, load, decide, save, emit: `lock` takes the aggregates in sorted order and brings what is known of them in the same
statement; `emit` and `schedule` only remember; `flush` writes the rest, the outbox last, just before the commit.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from libs.common.contracts.envelope import Event, headers_of
from libs.common.messaging import outbox
from libs.common.messaging.bus import Message

STRIDE = 1000
"""An aggregate's version times this, plus the count within the transaction, is an event's sequence number."""

LOCK = """
INSERT INTO aggregates (subject, version) SELECT unnest($1::text[]), 1
ON CONFLICT (subject) DO UPDATE SET version = aggregates.version + 1
RETURNING subject, version, facts
"""
SAVE_FACTS = """
INSERT INTO aggregates (subject, version, facts) SELECT * FROM unnest($1::text[], $2::bigint[], $3::jsonb[])
ON CONFLICT (subject) DO UPDATE SET facts = excluded.facts
"""
KNOW = "INSERT INTO aggregates (subject, version) SELECT unnest($1::text[]), 0 ON CONFLICT DO NOTHING"
SCHEDULE = """
INSERT INTO timers (kind, subject, due_at) SELECT * FROM unnest($1::text[], $2::text[], $3::timestamptz[])
ON CONFLICT (kind, subject) DO UPDATE SET due_at = excluded.due_at
"""
UNSCHEDULE = "DELETE FROM timers USING unnest($1::text[], $2::text[]) t(k, s) WHERE kind = t.k AND subject = t.s"


@dataclass(slots=True)
class Aggregate:
    """One locked subject: `known` is false when this transaction is the first that ever heard of it."""

    version: int
    facts: dict[str, Any]
    emitted: int = 0
    changed: bool = False

    @property
    def known(self) -> bool:
        """Whether an earlier transaction left facts here."""
        return bool(self.facts)


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who emits: a service's name, what it may say, its clock and its source of ids."""

    name: str
    emits: frozenset[type[Event]]
    now: Callable[[], datetime]
    new_id: Callable[[], UUID]


class NotLockedError(RuntimeError):
    """Something was emitted or kept for an aggregate the transaction does not hold."""


@dataclass(slots=True)
class Tx:
    """An open transaction on one service's database. `connection` is asyncpg's; only stores speak SQL with it."""

    connection: Any
    speaker: Speaker
    trace: str | None = None
    """The traceparent of the command that began this, for events whose subject has none in `traces`."""
    traces: dict[str, str] = field(default_factory=dict)
    held: dict[str, Aggregate] = field(default_factory=dict)
    _messages: list[Message] = field(default_factory=list)
    _timers: dict[tuple[str, str], datetime | None] = field(default_factory=dict)

    @property
    def now(self) -> datetime:
        """The time on the platform's one clock."""
        return self.speaker.now()

    @property
    def spoke(self) -> bool:
        """Whether anything goes to the outbox."""
        return bool(self._messages)

    @property
    def scheduled(self) -> bool:
        """Whether any timer was set."""
        return bool(self._timers)

    async def lock(self, subjects: Iterable[str]) -> None:
        """Hold these aggregates until the commit, creating those nobody knew, and bring their facts."""
        wanted = sorted(set(subjects) - self.held.keys())
        if wanted:
            for row in await self.connection.fetch(LOCK, wanted):
                self.held[row["subject"]] = Aggregate(row["version"], row["facts"])

    def aggregate(self, subject: str) -> Aggregate:
        """Return a held aggregate; `NotLockedError` if it is not held."""
        try:
            return self.held[subject]
        except KeyError:
            raise NotLockedError(f"{subject} was not locked by this transaction") from None

    def emit(self, subject: str, event: Event) -> None:
        """Say something about a held aggregate once this transaction is committed.

        Raises:
            TypeError: the service does not declare this event.
            NotLockedError: the aggregate is not held.
        """
        speaker = self.speaker
        if type(event) not in speaker.emits:
            raise TypeError(f"{speaker.name} does not declare that it emits {event.name}")
        held = self.aggregate(subject)
        held.emitted += 1
        if held.emitted >= STRIDE:
            raise OverflowError(f"more than {STRIDE} events of {subject} in one transaction")
        headers = headers_of(
            event.type, speaker.name, speaker.new_id(), subject, speaker.now(),
            held.version * STRIDE + held.emitted, self.traces.get(subject, self.trace),
        )  # fmt: skip
        body = event.model_dump_json(exclude_none=True).encode()
        self._messages.append(Message(event.topic, subject, tuple(headers), body))

    def send(self, message: Message) -> None:
        """Publish a message that is no event of ours: a dead letter."""
        self._messages.append(message)

    def schedule(self, kind: str, subject: str, due_at: datetime) -> None:
        """Have the service's timer `kind` fire for `subject` at `due_at`, instead of when it was due before."""
        self._timers[kind, subject] = due_at

    def unschedule(self, kind: str, subject: str) -> None:
        """Let the timer not fire."""
        self._timers[kind, subject] = None

    async def flush(self) -> None:
        """Write what was only remembered: facts, timers, and the outbox last."""
        await self._save_facts({s: a for s, a in self.held.items() if a.changed})
        await self._save_timers()
        if self._messages:
            await outbox.put(self.connection, self._messages)

    async def _save_facts(self, changed: Mapping[str, Aggregate]) -> None:
        if changed:
            await self.connection.execute(
                SAVE_FACTS,
                list(changed),
                [a.version for a in changed.values()],
                [a.facts for a in changed.values()],
            )

    async def _save_timers(self) -> None:
        due = {key: at for key, at in self._timers.items() if at is not None}
        # A timer fires with its aggregate locked, so there must be one.
        strangers = sorted({subject for _, subject in due} - self.held.keys())
        if strangers:
            await self.connection.execute(KNOW, strangers)
        if due:
            await self.connection.execute(
                SCHEDULE, [kind for kind, _ in due], [subject for _, subject in due], list(due.values())
            )
        off = [key for key, at in self._timers.items() if at is None]
        if off:
            await self.connection.execute(UNSCHEDULE, [kind for kind, _ in off], [subject for _, subject in off])
