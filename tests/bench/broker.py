"""What Kafka knows of a run: how much went through each topic, who has read how far, what a message looks like."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

Offsets = dict[TopicPartition, int]
SAMPLE = 2000


@dataclass(frozen=True, slots=True)
class Shape:
    """The mean message of a topic: bytes of the body, and the name and bytes of each header."""

    body: int
    headers: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Broker:
    """A look at Kafka from outside."""

    admin: AIOKafkaAdminClient
    consumer: AIOKafkaConsumer

    async def ends(self, topics: Sequence[str]) -> Offsets:
        """Return the end of each partition."""
        described = await self.admin.describe_topics(list(topics))
        places = [TopicPartition(t["topic"], p["partition"]) for t in described for p in t["partitions"]]
        ends: Offsets = await self.consumer.end_offsets(places)
        return ends

    async def read_by(self, group: str) -> Offsets:
        """Return how far a group has read each partition of its topics."""
        read = await self.admin.list_consumer_group_offsets(group)
        return {place: done.offset for place, done in read.items()}

    async def shapes(self, since: Offsets) -> dict[str, Shape]:
        """Return the mean message of each topic, from a sample of those behind `since`."""
        sampled: dict[str, list[tuple[int, dict[str, int]]]] = {}
        for topic in {place.topic for place in since}:
            places = [place for place in since if place.topic == topic]
            self.consumer.assign(places)
            for place in places:
                self.consumer.seek(place, since[place])
            polled = await self.consumer.getmany(*places, timeout_ms=1000, max_records=SAMPLE)
            sampled[topic] = [
                (len(record.value), {name: len(value) for name, value in record.headers})
                for records in polled.values()
                for record in records
            ]
        return {topic: _mean(messages) for topic, messages in sampled.items() if messages}


def _mean(messages: Sequence[tuple[int, Mapping[str, int]]]) -> Shape:
    count = len(messages)
    names = list(dict.fromkeys(name for _, headers in messages for name in headers))
    headers = tuple((name, sum(sizes.get(name, 0) for _, sizes in messages) // count) for name in names)
    return Shape(sum(body for body, _ in messages) // count, headers)


@asynccontextmanager
async def broker(bootstrap: str) -> AsyncIterator[Broker]:
    """Connect, and hang up at the end."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, max_partition_fetch_bytes=8 * 1024 * 1024)
    await admin.start()
    await consumer.start()
    try:
        yield Broker(admin, consumer)
    finally:
        await consumer.stop()
        await admin.close()
