"""Our messages are CloudEvents in Kafka's binary mode: the official SDK reads ours, and we read the SDK's."""

import json
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_kafka_event, to_binary_event
from cloudevents.core.v1.event import CloudEvent

from libs.common.contracts.envelope import Event, UndecodableError, decode
from libs.common.contracts.intake import TicketWithdrawn
from tests.contract.freeze import ID, NOON, all_events, body, example, headers

TRACEPARENT = f"00-{'c' * 32}-{'d' * 16}-01"


@pytest.mark.parametrize("event", all_events(), ids=lambda event: event.type)
def test_the_sdk_reads_what_we_say(event: type[Event]) -> None:
    said = example(event)
    read = from_kafka_event(KafkaMessage(headers=dict(headers(event)), key=str(ID).encode(), value=body(said)))
    assert read.get_attributes() == {
        "specversion": "1.0", "id": str(ID), "type": event.type, "source": f"/jiesu/{event.emitter}",
        "subject": str(ID), "time": NOON, "sequence": "1001", "datacontenttype": "application/json",
        "partitionkey": str(ID),
    }  # fmt: skip
    assert read.get_data() == json.loads(body(said))


def test_we_read_what_the_sdk_says() -> None:
    id_, ticket, time = uuid4(), uuid4(), datetime(2026, 3, 2, 12, 0, 0, 250, tzinfo=UTC)
    said = CloudEvent(
        {
            "id": str(id_), "type": "jiesu.ticket.withdrawn.v1", "source": "/a/peer", "subject": str(ticket),
            "time": time, "sequence": "77", "traceparent": TRACEPARENT, "specversion": "1.0",
            "datacontenttype": "application/json",
        },
        {"at": "2026-03-02T12:00:00+08:00", "reason": "解决了"},
    )  # fmt: skip
    message = to_binary_event(said)
    read = decode(message.headers.items(), message.value)
    assert (read.id, read.ticket, read.time, read.sequence) == (id_, ticket, time, 77)
    assert read.data == TicketWithdrawn(at=NOON, reason="解决了")
    assert read.traceparent == TRACEPARENT


def test_the_trace_that_came_with_the_message_outweighs_the_one_in_the_event() -> None:
    both = [*headers(TicketWithdrawn), ("ce_traceparent", b"00-older")]
    assert (
        decode(both, body(example(TicketWithdrawn))).traceparent
        == dict(headers(TicketWithdrawn))["traceparent"].decode()
    )


@pytest.mark.parametrize("attribute", ["ce_id", "ce_type", "ce_subject", "ce_time", "ce_sequence"])
def test_an_attribute_that_is_missing_is_named(attribute: str) -> None:
    some = [(name, value) for name, value in headers(TicketWithdrawn) if name != attribute]
    with pytest.raises(UndecodableError, match="unknown event type" if attribute == "ce_type" else attribute):
        decode(some, body(example(TicketWithdrawn)))
