"""Work before the appeal that scores count, from one version of a month to another as answers are."""

from collections.abc import Sequence
from typing import Any

from libs.common.messaging.transaction import Tx
from libs.common.runtime.rows import Rows
from services.feedback.domain.proactive import Credit

CREDITED = Rows("credited", Credit, key=("order_id", "proven"))
_DRAWN = "unnest($3::uuid[], $4::text[], $5::boolean[], $6::timestamptz[]) AS d(order_id, unit_code, proven, at)"
_STANDS = "k.period = $1 AND k.until_version IS NULL"
_SAME = "(k.order_id, k.proven) = (d.order_id, d.proven)"
END_CHANGED = f"""
UPDATE credited k SET until_version = $2 WHERE {_STANDS} AND NOT EXISTS (SELECT FROM {_DRAWN} WHERE {_SAME})
"""  # noqa: S608 words of this file
COUNT_NEW = f"""
INSERT INTO credited (period, since_version, order_id, unit_code, proven, at)
SELECT $1, $2::int, d.* FROM {_DRAWN} WHERE NOT EXISTS (SELECT FROM credited k WHERE {_STANDS} AND {_SAME})
"""  # noqa: S608 the same
OF_VERSION = """
WHERE period = $1 AND since_version <= $2 AND (until_version IS NULL OR until_version > $2)
  AND ($3::text IS NULL OR unit_code = $3)
ORDER BY at, order_id, proven
"""


async def count(tx: Tx, period: str, version: int, drawn: Sequence[Credit]) -> None:
    """Count this for a month from a version on, and nothing else; what was counted and stays so, stays as it is."""
    columns = ([getattr(one, name) for one in drawn] for name in ("order_id", "unit_code", "proven", "at"))
    given = (period, version, *columns)
    for statement in (END_CHANGED, COUNT_NEW):
        await tx.connection.execute(statement, *given)


async def of_version(connection: Any, period: str, version: int, unit: str | None = None) -> list[Credit]:
    """Return what a version of a month counts, of all units or of one."""
    return await CREDITED.load(connection, OF_VERSION, period, version, unit)
