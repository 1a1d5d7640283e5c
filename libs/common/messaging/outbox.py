"""What a transaction has to say: rows that its commit makes true and the relay makes known."""

import json
from collections.abc import Sequence
from typing import Any

from libs.common.messaging.bus import Message

INSERT = """
INSERT INTO outbox (topic, key, headers, body)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bytea[])
"""


async def put(connection: Any, messages: Sequence[Message]) -> None:
    """Store messages to publish after the commit, in this order."""
    await connection.execute(
        INSERT,
        [m.topic for m in messages],
        [m.key for m in messages],
        [pack_headers(m.headers) for m in messages],
        [m.body for m in messages],
    )


def pack_headers(headers: Sequence[tuple[str, bytes]]) -> str:
    """Return headers as the text a row keeps. Bytes that are no UTF-8 come back as they were."""
    return json.dumps([(name, value.decode(errors="surrogateescape")) for name, value in headers])


def unpack_headers(packed: str) -> tuple[tuple[str, bytes], ...]:
    """Return what `pack_headers` packed."""
    return tuple((name, value.encode(errors="surrogateescape")) for name, value in json.loads(packed))
