"""Rules of routing, and from when on which of them decide."""

from typing import Any
from uuid import UUID

from libs.common.messaging.transaction import Tx
from libs.common.runtime.rows import Rows
from services.dispatch.domain.rules import Activation, RulesVersion

VERSIONS = Rows("rule_sets", RulesVersion, key=("version",))
ACTIVATIONS = Rows("rule_activations", Activation, key=("activation_id",))

ADD = """
INSERT INTO rule_sets (version, imported_at, by, note, rules, text) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT DO NOTHING RETURNING true
"""
TEXT = "SELECT text FROM rule_sets WHERE version = $1"


async def add_rules(tx: Tx, rules: RulesVersion, text: str) -> bool:
    """Keep rules with their text, and say whether they are new."""
    r = rules
    return bool(await tx.connection.fetchval(ADD, r.version, r.imported_at, r.by, r.note, r.rules, text))


async def rules_of(connection: Any, version: str) -> RulesVersion | None:
    """Return rules, None if they were never imported."""
    found = await VERSIONS.load(connection, "WHERE version = $1", version)
    return found[0] if found else None


async def rules_versions(connection: Any, limit: int) -> list[RulesVersion]:
    """Return the rules that were imported last, the newest first."""
    return await VERSIONS.load(connection, "ORDER BY imported_at DESC, version LIMIT $1", limit)


async def rules_text(connection: Any, version: str) -> str | None:
    """Return the text of rules, None if they were never imported."""
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
