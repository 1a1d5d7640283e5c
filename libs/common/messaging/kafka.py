"""The bus on Apache Kafka: idempotent producer, acks from all in-sync replicas, offsets committed by hand."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import CommitFailedError, IllegalStateError, NoError, TopicAlreadyExistsError, for_code

from libs.common.messaging.bus import BusClosedError, Message

POLL_MS = 500
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class KafkaAddress:
    """Where the brokers are and how to speak to them. `protocol` is one of Kafka's four, e.g. `SASL_SSL`."""

    bootstrap: str
    protocol: str = "PLAINTEXT"
    mechanism: str = "SCRAM-SHA-512"
    username: str | None = None
    password: str | None = None

    def options(self) -> dict[str, object]:
        """Return what every aiokafka client takes."""
        secure = "SSL" in self.protocol
        return {
            "bootstrap_servers": self.bootstrap,
            "security_protocol": self.protocol,
            "sasl_mechanism": self.mechanism,
            "sasl_plain_username": self.username,
            "sasl_plain_password": self.password,
            "ssl_context": ssl.create_default_context() if secure else None,
        }


class KafkaSubscription:
    """A member of a consumer group."""

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self._consumer = consumer
        self._early: list[Message] = []

    async def receive(self, limit: int) -> Sequence[Message]:
        """See `Subscription.receive`."""
        if self._early:
            early, self._early = self._early[:limit], self._early[limit:]
            return early
        return await self._poll(POLL_MS, limit)

    async def _poll(self, milliseconds: int, limit: int) -> list[Message]:
        polled = await self._consumer.getmany(timeout_ms=milliseconds, max_records=limit)
        return [_message(record) for records in polled.values() for record in records]

    async def ack(self, messages: Sequence[Message]) -> None:
        """See `Subscription.ack`. A partition lost meanwhile is its new owner's; the inbox absorbs what it repeats."""
        ends: dict[TopicPartition, int] = {}
        for message in messages:
            place = TopicPartition(message.topic, message.partition)
            ends[place] = max(ends.get(place, 0), message.offset + 1)
        if not ends:
            return
        try:
            await self._consumer.commit(ends)
        except (CommitFailedError, IllegalStateError) as error:
            log.info("offsets left to the partition's new owner", reason=str(error))

    async def hold(self, seconds: float) -> None:
        """See `Subscription.hold`: the partitions are paused and polling goes on, so the group keeps us."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while (left := end - loop.time()) > 0:
            assigned = self._consumer.assignment()
            self._consumer.pause(*assigned)
            try:
                # A partition won in a rebalance during the pause may still hand something over: it is kept.
                self._early += await self._poll(int(min(left, 1) * 1000), 500)
            finally:
                self._consumer.resume(*(assigned & self._consumer.assignment()))


def _message(record: ConsumerRecord[bytes, bytes]) -> Message:
    key = (record.key or b"").decode(errors="replace")
    # A header may have no value at all in Kafka; to us that is an empty one.
    headers = tuple((name, value or b"") for name, value in record.headers)
    return Message(record.topic, key, headers, record.value or b"", record.partition, record.offset)


class KafkaBus:
    """A bus on the brokers at `address`."""

    def __init__(self, address: KafkaAddress, client: str) -> None:
        self._address = address
        self._client = client
        self._producer: AIOKafkaProducer | None = None
        self._closed = False

    async def publish(self, messages: Sequence[Message]) -> None:
        """See `Bus.publish`. A producer that failed is stopped before the failure is raised: none is left in flight."""
        try:
            producer = await self._started_producer()
            sent = [await producer.send(m.topic, m.body, key=m.key.encode(), headers=list(m.headers)) for m in messages]
            await asyncio.gather(*sent)
        except Exception as error:
            await self._drop_producer()
            if self._closed:
                raise BusClosedError("the Kafka bus was closed") from error
            raise

    async def _started_producer(self) -> AIOKafkaProducer:
        if self._closed:
            raise BusClosedError("the Kafka bus is closed")
        if self._producer is None:
            producer = AIOKafkaProducer(
                client_id=self._client,
                acks="all",
                enable_idempotence=True,
                linger_ms=1,
                max_batch_size=256 * 1024,
                max_request_size=4 * 1024 * 1024,
                request_timeout_ms=30_000,
                **self._address.options(),
            )
            await producer.start()
            self._producer = producer
        return self._producer

    async def _drop_producer(self) -> None:
        """Stop a producer that failed: an idempotent one cannot go on after an error it could not retry."""
        producer, self._producer = self._producer, None
        if producer:
            await producer.stop()

    @asynccontextmanager
    async def subscribe(self, group: str, topics: Sequence[str]) -> AsyncIterator[KafkaSubscription]:
        """See `Bus.subscribe`."""
        consumer = AIOKafkaConsumer(
            *topics,
            client_id=self._client,
            group_id=group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            session_timeout_ms=10_000,
            heartbeat_interval_ms=3_000,
            max_poll_interval_ms=300_000,
            max_partition_fetch_bytes=8 * 1024 * 1024,
            fetch_max_wait_ms=100,
            **self._address.options(),
        )
        await consumer.start()
        try:
            yield KafkaSubscription(consumer)
        finally:
            await consumer.stop()

    async def close(self) -> None:
        """See `Bus.close`."""
        self._closed = True
        await self._drop_producer()


async def ensure_topics(
    address: KafkaAddress, topics: Sequence[str], compacted: Sequence[str], partitions: int, replication: int
) -> list[str]:
    """Create the topics that are missing and return those this call made. Those that exist keep their settings.

    Raises:
        KafkaError: the broker refused one, for a reason other than that someone else was quicker.
    """
    admin = AIOKafkaAdminClient(**address.options())
    await admin.start()
    try:
        missing = sorted({*topics, *compacted} - set(await admin.list_topics()))
        new = [
            NewTopic(
                name,
                partitions,
                replication,
                topic_configs={"cleanup.policy": "compact"} if name in compacted else {},
            )
            for name in missing
        ]
        answer = await admin.create_topics(new)
    finally:
        await admin.close()
    made = []
    for name, code, *why in answer.topic_errors:
        error = for_code(code)
        if error is NoError:
            made.append(name)
        elif error is not TopicAlreadyExistsError:
            raise error(name, *why)
    return made
