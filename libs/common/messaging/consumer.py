"""Takes what the bus hands over, a batch in one transaction, and decides the fate of what fails.

Transient failures are waited for; a batch that fails for another reason is done one event at a time, and the one that
fails again is put aside as a dead letter while the stream goes on.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby
from typing import Any
from uuid import UUID

import structlog

from libs.common.contracts.envelope import Envelope, Event, UndecodableError, decode
from libs.common.messaging import inbox
from libs.common.messaging.bus import Bus, Message, Subscription
from libs.common.messaging.metrics import (
    BATCH_RETRIES,
    BATCH_SECONDS,
    CONSUMER_UP,
    EVENT_AGE,
    EVENTS_DEAD,
    EVENTS_HANDLED,
    EVENTS_REPEATED,
)
from libs.common.messaging.outbox import pack_headers
from libs.common.messaging.retry import backoff, describe, is_transient
from libs.common.messaging.transaction import Tx

LIMIT = 500
DEAD_RUN = 20
"""So many dead letters in a row are no longer the messages' fault: the consumer stops and readiness turns red."""
LONGEST_REASON = 1000
"""Characters of a dead letter's reason. An error may quote the whole event, and no broker would take it twice over."""

log = structlog.get_logger(__name__)
Handler = Callable[[Sequence[Envelope[Any]], Tx, Any], Awaitable[None]]
Prepare = Callable[[Sequence[Envelope[Any]], Any], Awaitable[Sequence[Any]]]
Found = Envelope[Event] | UndecodableError | None
BURY = """
INSERT INTO dead_letters (consumer, topic, partition, "offset", key, headers, body, reason, attempts, at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""


class _StoppedError(Exception):
    """The consumer was asked to stop while it waited for a failure to pass; nothing of the batch was acked."""


@dataclass(frozen=True, slots=True)
class On:
    """What a service does on an event.

    `prepare` runs before the transaction, off the loop if it is heavy; what it returns, one for each event, is each
    envelope's `ready`. `also` names aggregates beside the subject that the handler will change.
    """

    handler: Handler
    prepare: Prepare | None = None
    also: Callable[[Any], Iterable[str]] | None = None


def dead_topic(service: str) -> str:
    """Return the topic of one service's dead letters."""
    return f"jiesu.{service}.dead.v1"


class Consumer:
    """One service's consumer over all the topics it reads."""

    def __init__(
        self,
        name: str,
        bus: Bus,
        begin: Callable[[], AbstractAsyncContextManager[Tx]],
        consumes: Mapping[type[Event], On],
        context: Any,
    ) -> None:
        self.name = name
        self.halted: str | None = None
        self._bus = bus
        self._begin = begin
        self._consumes = consumes
        self._types = {event.type for event in consumes}
        self._context = context
        self._stop = asyncio.Event()
        self._dead_run = 0

    @property
    def topics(self) -> list[str]:
        """Return the topics this consumer reads."""
        return sorted({event.topic for event in self._consumes})

    def stop(self) -> None:
        """Ask `run` to end after the batch in hand."""
        self._stop.set()

    async def run(self) -> None:
        """Consume until stopped, or halted by a run of dead letters; a lost broker is joined again."""
        attempt = 0
        while not self._stop.is_set() and not self.halted:
            try:
                async with self._bus.subscribe(f"jiesu.{self.name}", self.topics) as subscription:
                    CONSUMER_UP.labels(self.name).set(1)
                    while not self._stop.is_set() and not self.halted:
                        await self._one(subscription)
                        attempt = 0
            except Exception as error:  # noqa: BLE001
                # Whatever the broker's client raises, the group must be joined again: nothing was acked.
                CONSUMER_UP.labels(self.name).set(0)
                attempt += 1
                log.warning("consumer will join again", service=self.name, error=describe(error))
                await self._pause(backoff(attempt))
        CONSUMER_UP.labels(self.name).set(0)

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), seconds)

    async def _one(self, subscription: Subscription) -> None:
        messages = await subscription.receive(LIMIT)
        if messages:
            settled = await self.settle(messages, subscription)
            await subscription.ack(messages[:settled])

    async def settle(self, messages: Sequence[Message], subscription: Subscription) -> int:
        """Bring messages, in order, to their end: done, done before, not ours, or buried.

        Returns how many: all of them, unless a run of dead letters halted the consumer on the way.
        """
        settled = 0
        found = [(message, self._found(message)) for message in messages]
        for _, group in groupby(found, lambda pair: isinstance(pair[1], UndecodableError)):
            stretch = list(group)
            if await self._together([event for _, event in stretch], subscription):
                settled += len(stretch)
                continue
            for message, event in stretch:
                await self._alone(message, event, subscription)
                settled += 1
                if self.halted:
                    return settled
        return settled

    def _found(self, message: Message) -> Found:
        """Read a message, unless it is an event this service does not consume, a newer release's among them."""
        type_ = dict(message.headers).get("ce_type", b"").decode(errors="replace")
        if type_ not in self._types and type_.startswith("jiesu."):
            return None
        try:
            return decode(message.headers, message.body)
        except UndecodableError as error:
            return error

    async def _together(self, found: Sequence[Found], subscription: Subscription) -> bool:
        """Do events in one transaction, and say whether that went well: if not, one of them is at fault."""
        events = [event for event in found if isinstance(event, Envelope)]
        if not events:
            return not any(found)
        try:
            await self._persist(partial(self._work, events), subscription)
        except _StoppedError:
            raise
        except Exception as error:  # noqa: BLE001
            # Not transient, so it is an event's fault, or its handler's: find it, and let the others through.
            log.warning("batch is done one by one", service=self.name, size=len(events), error=describe(error))
            return False
        self._dead_run = 0
        return True

    async def _alone(self, message: Message, found: Found, subscription: Subscription) -> None:
        """Do one event by itself, and bury it if it fails again."""
        if isinstance(found, UndecodableError):
            await self._persist(partial(self._bury, message, found, 1), subscription)
        elif found:
            try:
                await self._persist(partial(self._work, [found]), subscription)
                self._dead_run = 0
            except _StoppedError:
                raise
            except Exception as error:  # noqa: BLE001
                # Whatever the handler raised twice, the stream must go on.
                await self._persist(partial(self._bury, message, error, 2), subscription)

    async def _persist(self, work: Callable[[], Awaitable[None]], subscription: Subscription) -> None:
        """Do `work`, waiting as often as it takes while its failure is transient."""
        attempt = 0
        while True:
            try:
                return await work()
            except Exception as error:
                if not is_transient(error):
                    raise
                attempt += 1
                BATCH_RETRIES.labels(self.name).inc()
                log.warning("batch will be tried again", service=self.name, attempt=attempt, error=describe(error))
                if self._stop.is_set():
                    raise _StoppedError from error
                await subscription.hold(backoff(attempt))

    async def _work(self, events: Sequence[Envelope[Event]]) -> None:
        started = time.perf_counter()
        ready = await self._prepared(events)
        async with self._begin() as tx:
            claimed = await inbox.claim(tx.connection, [event.id for event in ready])
            # By id, for a batch may hold an event twice: a relay that was killed before its commit says it again.
            fresh = list({event.id: event for event in ready if event.id in claimed}.values())
            await tx.lock(self._subjects(fresh))
            tx.traces.update((e.subject, e.traceparent) for e in fresh if e.traceparent)
            for handler, round_events in rounds(fresh, self._consumes):
                await handler(round_events, tx, self._context)
            now = tx.now
        BATCH_SECONDS.labels(self.name).observe(time.perf_counter() - started)
        EVENTS_REPEATED.labels(self.name).inc(len(ready) - len(fresh))
        if fresh:
            EVENT_AGE.labels(self.name).observe(max(0.0, (now - fresh[0].time).total_seconds()))
        for name, count in Counter(event.data.name for event in fresh).items():
            EVENTS_HANDLED.labels(self.name, name).inc(count)

    async def _prepared(self, events: Sequence[Envelope[Event]]) -> Sequence[Envelope[Event]]:
        """Run each prepare step over its events. Order is kept."""
        ready: dict[UUID, Any] = {}
        for prepare in {on.prepare for on in self._consumes.values() if on.prepare}:
            mine = [event for event in events if self._consumes[type(event.data)].prepare is prepare]
            if mine:
                ready.update(zip([e.id for e in mine], await prepare(mine, self._context), strict=True))
        return [replace(event, ready=ready[event.id]) if event.id in ready else event for event in events]

    def _subjects(self, events: Sequence[Envelope[Event]]) -> set[str]:
        subjects = {event.subject for event in events}
        for event in events:
            also = self._consumes[type(event.data)].also
            if also:
                subjects.update(also(event.data))
        return subjects

    async def _bury(self, message: Message, error: Exception, attempts: int) -> None:
        """Put a message aside, in a row to look at and on a topic to be told by, with all it takes to redrive it.

        Its id is claimed as if it were done, so that a message which comes again is not buried again.
        """
        reason = _storable(f"{type(error).__name__}: {error}")[:LONGEST_REASON]
        message = replace(message, key=_storable(message.key))
        async with self._begin() as tx:
            id_ = _id_of(message)
            if id_ and not await inbox.claim(tx.connection, [id_]):
                return
            await tx.connection.execute(
                BURY, self.name, message.topic, message.partition, message.offset, message.key,
                pack_headers(message.headers), message.body, reason, attempts, tx.now,
            )  # fmt: skip
            tx.send(self._dead_letter(message, reason, attempts))
        EVENTS_DEAD.labels(self.name).inc()
        log.error("dead letter", service=self.name, topic=message.topic, error=type(error).__name__)
        self._dead_run += 1
        if self._dead_run >= DEAD_RUN:
            self.halted = f"{self._dead_run} dead letters in a row, the last: {type(error).__name__}"

    def _dead_letter(self, message: Message, reason: str, attempts: int) -> Message:
        told = {
            "jiesu_reason": reason,
            "jiesu_consumer": self.name,
            "jiesu_topic": message.topic,
            "jiesu_partition": str(message.partition),
            "jiesu_offset": str(message.offset),
            "jiesu_attempts": str(attempts),
        }
        headers = (*message.headers, *((name, value.encode()) for name, value in told.items()))
        return Message(dead_topic(self.name), message.key, headers, message.body)


def _id_of(message: Message) -> UUID | None:
    try:
        return UUID(dict(message.headers)["ce_id"].decode())
    except (KeyError, ValueError):
        return None


def _storable(text: str) -> str:
    """Replace what a text column cannot hold: a dead letter that cannot be put aside would stop the stream."""
    return text.replace("\0", "\ufffd").encode(errors="replace").decode()


def rounds(
    events: Sequence[Envelope[Event]], consumes: Mapping[type[Event], On]
) -> Iterable[tuple[Handler, list[Envelope[Event]]]]:
    """Yield what to call with which events, in order: the k-th event of each subject belongs to round k."""
    turns: list[dict[Handler, list[Envelope[Event]]]] = []
    seen: dict[str, int] = {}
    for event in events:
        turn = seen[event.subject] = seen.get(event.subject, -1) + 1
        if turn == len(turns):
            turns.append({})
        turns[turn].setdefault(consumes[type(event.data)].handler, []).append(event)
    for turn_events in turns:
        yield from turn_events.items()
