"""Policies, and from when on which of them judge."""

from typing import Any
from uuid import UUID

from libs.common.messaging.transaction import Tx
from libs.common.runtime.rows import Rows
from services.sla.domain.versions import Activation, PoliciesVersion

VERSIONS = Rows("policies", PoliciesVersion, key=("version",))
ACTIVATIONS = Rows("policy_activations", Activation, key=("activation_id",))

ADD = """
INSERT INTO policies (version, imported_at, by, note, rules, text) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT DO NOTHING RETURNING true
"""
TEXT = "SELECT text FROM policies WHERE version = $1"


async def add_policies(tx: Tx, version: PoliciesVersion, text: str) -> bool:
    """Keep policies with their text, and say whether they are new."""
    v = version
    return bool(await tx.connection.fetchval(ADD, v.version, v.imported_at, v.by, v.note, v.rules, text))


async def policies_of(connection: Any, version: str) -> PoliciesVersion | None:
    """Return policies, None if they were never imported."""
    found = await VERSIONS.load(connection, "WHERE version = $1", version)
    return found[0] if found else None


async def policies_versions(connection: Any, limit: int) -> list[PoliciesVersion]:
    """Return the policies that were imported last, the newest first."""
    return await VERSIONS.load(connection, "ORDER BY imported_at DESC, version LIMIT $1", limit)


async def policies_text(connection: Any, version: str) -> str | None:
    """Return the text of policies, None if they were never imported."""
    text: str | None = await connection.fetchval(TEXT, version)
    return text


async def activations(connection: Any) -> list[Activation]:
    """Return all activations in the order in which they are due; there are a few a year."""
    return await ACTIVATIONS.load(connection, "ORDER BY from_at, number")


async def save_activation(tx: Tx, activation: Activation) -> None:
    """Keep an activation."""
    await ACTIVATIONS.save(tx.connection, [activation])


async def activation_of(connection: Any, activation_id: UUID) -> Activation | None:
    """Return an activation, None if there is none of this id."""
    found = await ACTIVATIONS.load(connection, "WHERE activation_id = $1", activation_id)
    return found[0] if found else None


async def last_activations(connection: Any, limit: int) -> list[Activation]:
    """Return the activations that are due last, the last one first."""
    return await ACTIVATIONS.load(connection, "ORDER BY from_at DESC, number DESC LIMIT $1", limit)
