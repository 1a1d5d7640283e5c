"""What every bus must do. One suite, run over the bus of the embedded form and over Apache Kafka.

A memory bus's `publish` waits for its subscribers, so messages are published in a task that is awaited when they were
acked; on Kafka that task is done much sooner, and the same assertions hold.
"""

import asyncio
import uuid
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import InvalidReplicationFactorError

from libs.common.local.kafka import LocalKafka
from libs.common.messaging.bus import Bus, BusClosedError, Message, Subscription
from libs.common.messaging.kafka import KafkaAddress, KafkaBus, KafkaSubscription, ensure_topics
from libs.common.messaging.memory import MemoryBus

PARTITIONS = 3
PATIENCE = 40
"""Empty receives in a row until a test gives up; each waits half a second."""


@dataclass
class Arena:
    """A bus with topics of its own, so that tests sharing a broker do not meet."""

    bus: Bus
    topics: tuple[str, str]
    group: str

    def messages(self, count: int, keys: int = 5, topic: int = 0) -> list[Message]:
        """Return messages whose bodies number them, over this many keys in turn."""
        return [Message(self.topics[topic], f"k{n % keys}", (), str(n).encode()) for n in range(count)]

    def publishing(self, messages: Sequence[Message]) -> asyncio.Task[None]:
        """Publish in the background."""
        return asyncio.create_task(self.bus.publish(messages))


@pytest.fixture
async def kafka(request: pytest.FixtureRequest) -> AsyncIterator[Arena]:
    """An arena on Kafka."""
    address = KafkaAddress(request.getfixturevalue("kafka_server").bootstrap)
    prefix = uuid.uuid4().hex[:8]
    topics = (f"{prefix}.a", f"{prefix}.b")
    await ensure_topics(address, topics, [], PARTITIONS, 1)
    bus = KafkaBus(address, prefix)
    yield Arena(bus, topics, f"{prefix}.group")
    await bus.close()


@pytest.fixture
async def memory() -> AsyncIterator[Arena]:
    """An arena on the memory bus."""
    bus = MemoryBus()
    yield Arena(bus, ("a", "b"), "group")
    await bus.close()


@pytest.fixture(params=["memory", pytest.param("kafka", marks=pytest.mark.kafka)])
def arena(request: pytest.FixtureRequest) -> Arena:
    """An arena on each bus in turn."""
    arena: Arena = request.getfixturevalue(request.param)
    return arena


async def take(subscription: Subscription, count: int, limit: int = 500) -> list[Message]:
    """Receive until there are `count`, without acking."""
    taken: list[Message] = []
    empty = 0
    while len(taken) < count:
        messages = await subscription.receive(limit)
        assert len(messages) <= limit
        taken += messages
        empty = 0 if messages else empty + 1
        assert empty < PATIENCE, f"only {len(taken)} of {count} came"
    return taken


async def take_and_ack(subscription: Subscription, count: int, limit: int = 500) -> list[Message]:
    """Receive until there are `count`, acking each handful."""
    taken: list[Message] = []
    while len(taken) < count:
        messages = await take(subscription, 1, limit)
        await subscription.ack(messages)
        taken += messages
    return taken


def told(messages: Iterable[Message]) -> list[tuple[str, bytes]]:
    """Return what a message says, without where it lay; sorted, as only one key's messages have an order."""
    return sorted((message.key, message.body) for message in messages)


def by_key(messages: Iterable[Message]) -> dict[str, list[int]]:
    """Return the numbers each key's messages carry, in the order they came."""
    numbers = defaultdict(list)
    for message in messages:
        numbers[message.key].append(int(message.body))
    return numbers


async def test_a_large_batch_arrives_whole_and_in_order_of_each_key(arena: Arena) -> None:
    messages = arena.messages(2000, keys=50)
    async with arena.bus.subscribe(arena.group, arena.topics) as member:
        publishing = arena.publishing(messages)
        taken = await take_and_ack(member, 2000)
        await publishing
    assert by_key(taken) == by_key(messages)


async def test_batches_published_one_after_another_keep_the_order_of_each_key(arena: Arena) -> None:
    messages = arena.messages(60)
    async with arena.bus.subscribe(arena.group, arena.topics) as member:
        for start in range(0, 60, 20):
            publishing = arena.publishing(messages[start : start + 20])
            taken = await take_and_ack(member, 20)
            assert by_key(taken) == by_key(messages[start : start + 20])
            await publishing


async def test_no_more_is_handed_over_than_was_asked_for(arena: Arena) -> None:
    async with arena.bus.subscribe(arena.group, arena.topics) as member:
        publishing = arena.publishing(arena.messages(10))
        taken = await take_and_ack(member, 10, limit=3)
        await publishing
    assert by_key(taken) == by_key(arena.messages(10))


async def test_what_was_received_but_not_acked_comes_again_to_the_next_member(arena: Arena) -> None:
    async with arena.bus.subscribe(arena.group, arena.topics) as first:
        publishing = arena.publishing(arena.messages(20))
        lost = await take(first, 20)
    async with arena.bus.subscribe(arena.group, arena.topics) as second:
        taken = await take_and_ack(second, 20)
        await publishing
    assert by_key(taken) == by_key(lost)


async def test_what_was_acked_never_comes_again(arena: Arena) -> None:
    # One key, so that acking the first half says nothing of the second.
    async with arena.bus.subscribe(arena.group, arena.topics) as first:
        publishing = arena.publishing(arena.messages(20, keys=1))
        taken = await take(first, 20)
        await first.ack(taken[:12])
    async with arena.bus.subscribe(arena.group, arena.topics) as second:
        again = await take_and_ack(second, 8)
        await publishing
    assert by_key(again) == {"k0": list(range(12, 20))}


async def test_every_group_gets_everything(arena: Arena) -> None:
    groups = [f"{arena.group}.{n}" for n in range(3)]
    async with AsyncExitStack() as stack:
        members = [await stack.enter_async_context(arena.bus.subscribe(group, arena.topics)) for group in groups]
        publishing = arena.publishing([*arena.messages(10), *arena.messages(10, topic=1)])
        taken = [await take_and_ack(member, 20) for member in members]
        await publishing
    assert [told(one) for one in taken] == [told([*arena.messages(10), *arena.messages(10)])] * 3


async def test_a_group_gets_only_the_topics_it_asked_for(arena: Arena) -> None:
    async with arena.bus.subscribe(arena.group, arena.topics[1:]) as member:
        publishing = arena.publishing([*arena.messages(5), *arena.messages(5, topic=1)])
        taken = await take_and_ack(member, 5)
        await publishing
        assert {message.topic for message in taken} == {arena.topics[1]}


async def test_headers_key_and_body_arrive_byte_for_byte(arena: Arena) -> None:
    headers = (("ce_id", b"1"), ("binary", bytes(range(256))), ("empty", b""), ("twice", b"a"), ("twice", b"b"))
    sent = Message(arena.topics[0], "键", headers, bytes(range(256)) + "正文".encode())
    async with arena.bus.subscribe(arena.group, arena.topics) as member:
        publishing = arena.publishing([sent])
        (came,) = await take_and_ack(member, 1)
        await publishing
    assert (came.topic, came.key, came.headers, came.body) == (sent.topic, sent.key, sent.headers, sent.body)


async def test_a_member_that_holds_stays_one_and_loses_nothing(arena: Arena) -> None:
    async with arena.bus.subscribe(arena.group, arena.topics) as member:
        publishing = arena.publishing(arena.messages(40))
        early = await take(member, 5, limit=5)
        await member.hold(0.2)
        await member.ack(early)
        taken = early + await take_and_ack(member, 40 - len(early))
        await publishing
    assert by_key(taken) == by_key(arena.messages(40))


async def test_publishing_nothing_and_acking_nothing_are_fine(arena: Arena) -> None:
    async with arena.bus.subscribe(arena.group, arena.topics) as member:
        await arena.bus.publish([])
        await member.ack([])


async def test_a_closed_bus_publishes_nothing_and_says_so(arena: Arena) -> None:
    await arena.bus.close()
    with pytest.raises(BusClosedError):
        await arena.bus.publish(arena.messages(1))


async def test_what_is_being_published_when_the_bus_closes_is_safe_or_fails(arena: Arena) -> None:
    async with arena.bus.subscribe(arena.group, arena.topics):
        publishing = arena.publishing(arena.messages(500))
        await asyncio.sleep(0)
        await arena.bus.close()
        (outcome,) = await asyncio.gather(publishing, return_exceptions=True)
    assert outcome is None or isinstance(outcome, BusClosedError)


class TestTheMemoryBus:
    """Where the memory bus promises more: what it took is committed by everyone."""

    async def test_publish_waits_until_every_group_has_acked(self, memory: Arena) -> None:
        async with memory.bus.subscribe("one", memory.topics) as one, memory.bus.subscribe("two", memory.topics) as two:
            publishing = memory.publishing(memory.messages(2))
            await take_and_ack(one, 2)
            taken = await take(two, 2)
            await two.ack(taken[:1])
            assert not publishing.done()
            await two.ack(taken[1:])
            await publishing

    async def test_publish_waits_for_a_group_that_is_expected_but_not_there_yet(self) -> None:
        bus = MemoryBus()
        bus.expect("late", ["a"])
        publishing = asyncio.create_task(bus.publish([Message("a", "k", (), b"0")]))
        async with bus.subscribe("late", ["a"]) as member:
            await take_and_ack(member, 1)
        await publishing

    async def test_publish_that_waits_fails_when_the_bus_closes(self, memory: Arena) -> None:
        async with memory.bus.subscribe(memory.group, memory.topics) as member:
            publishing = memory.publishing(memory.messages(2))
            await take(member, 2)
            await memory.bus.close()
            with pytest.raises(BusClosedError):
                await publishing


@pytest.mark.kafka
class TestKafka:
    """Where Kafka differs: it keeps what it took, and shares it out among members."""

    async def test_what_publish_returned_for_is_there_for_a_group_that_comes_later(self, kafka: Arena) -> None:
        await kafka.bus.publish(kafka.messages(10))
        async with kafka.bus.subscribe(kafka.group, kafka.topics) as member:
            assert told(await take_and_ack(member, 10)) == told(kafka.messages(10))

    async def test_two_members_share_the_partitions_and_nothing_is_lost_between_them(self, kafka: Arena) -> None:
        got: dict[str, list[Message]] = {"one": [], "two": []}

        async def work(name: str, subscription: Subscription) -> None:
            while len(got["one"]) + len(got["two"]) < 90:
                messages = await subscription.receive(10)
                await subscription.ack(messages)
                got[name] += messages

        bus, topics = kafka.bus, kafka.topics[:1]
        async with bus.subscribe(kafka.group, topics) as one, bus.subscribe(kafka.group, topics) as two:
            await bus.publish(kafka.messages(90, keys=30))
            await asyncio.gather(work("one", one), work("two", two))
        partitions = [{message.partition for message in messages} for messages in got.values()]
        assert all(partitions)
        assert partitions[0].isdisjoint(partitions[1])
        assert told([*got["one"], *got["two"]]) == told(kafka.messages(90, keys=30))

    async def test_a_member_that_holds_keeps_what_it_wins_meanwhile(
        self, kafka: Arena, kafka_server: LocalKafka
    ) -> None:
        # A quick heart, so that it hears of the other's leaving while it holds.
        consumer = AIOKafkaConsumer(
            *kafka.topics,
            bootstrap_servers=kafka_server.bootstrap,
            group_id=kafka.group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            heartbeat_interval_ms=50,
        )
        async with consumer:
            one = KafkaSubscription(consumer)
            async with kafka.bus.subscribe(kafka.group, kafka.topics):
                await kafka.bus.publish(kafka.messages(30))
                holding = asyncio.create_task(one.hold(1.0))
            await holding
            taken = await take(one, 30)
        assert by_key(taken) == by_key(kafka.messages(30))

    async def test_a_header_without_a_value_is_an_empty_one(self, kafka: Arena, kafka_server: LocalKafka) -> None:
        producer = AIOKafkaProducer(bootstrap_servers=kafka_server.bootstrap)
        async with producer:
            await producer.send_and_wait(kafka.topics[0], None, key=b"\xff", headers=[("none", None)])
        async with kafka.bus.subscribe(kafka.group, kafka.topics) as member:
            (came,) = await take_and_ack(member, 1)
        assert (came.key, came.headers, came.body) == ("\ufffd", (("none", b""),), b"")

    async def test_a_bus_goes_on_after_a_failed_publish(self, kafka: Arena) -> None:
        huge = Message(kafka.topics[0], "k", (), bytes(5 * 1024 * 1024))
        with pytest.raises(Exception, match="serialized"):
            await kafka.bus.publish([*kafka.messages(3), huge])
        await kafka.bus.publish(kafka.messages(1, topic=1))
        async with kafka.bus.subscribe(kafka.group, kafka.topics[1:]) as member:
            assert len(await take_and_ack(member, 1)) == 1

    async def test_topics_are_made_once_and_a_refused_one_is_told(self, kafka: Arena, kafka_server: LocalKafka) -> None:
        address = KafkaAddress(kafka_server.bootstrap)
        wanted = [*kafka.topics, f"{kafka.topics[0]}.more"]
        assert await ensure_topics(address, wanted, [], PARTITIONS, 1) == wanted[2:]
        assert await ensure_topics(address, wanted, [], PARTITIONS, 1) == []
        with pytest.raises(InvalidReplicationFactorError):
            await ensure_topics(address, [f"{kafka.topics[0]}.copied"], [], PARTITIONS, 9)
