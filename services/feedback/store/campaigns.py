"""Campaigns: topics that were taken up."""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from libs.common.messaging.transaction import Tx
from libs.common.runtime.rows import Rows
from services.feedback.domain.campaigns import Campaign, CampaignState

CAMPAIGNS = Rows("campaigns", Campaign, key=("campaign_id",))
LISTED = """
WHERE ($1::text IS NULL OR state = $1) AND (opened_at, campaign_id) > ($2, $3)
  AND ($4::text[] IS NULL OR lead_code = ANY($4)
    OR jsonb_path_query_array(co_leads, '$[*].code') ?| $4 OR jsonb_path_query_array(measures, '$[*].owner.code') ?| $4)
ORDER BY opened_at, campaign_id LIMIT $5
"""


async def campaigns(
    connection: Any,
    state: CampaignState | None,
    units: Collection[str] | None,
    after: tuple[datetime, UUID],
    limit: int,
) -> list[Campaign]:
    """Return campaigns in which one of some units takes part, None for all: the oldest first, from behind `after`."""
    seen = None if units is None else list(units)
    return await CAMPAIGNS.load(connection, LISTED, state, *after, seen, limit)


async def open_campaigns(connection: Any) -> list[Campaign]:
    """Return every campaign that is not closed."""
    return await CAMPAIGNS.load(connection, "WHERE state = 'open' ORDER BY opened_at, campaign_id")


async def campaigns_since(connection: Any, moment: datetime) -> list[Campaign]:
    """Return the campaigns that are open, or were until after a moment."""
    return await CAMPAIGNS.load(connection, "WHERE closed_at IS NULL OR closed_at >= $1", moment)


async def campaign(connection: Any, campaign_id: UUID) -> Campaign | None:
    """Return one campaign."""
    return next(iter(await CAMPAIGNS.load(connection, "WHERE campaign_id = $1", campaign_id)), None)


async def save_campaign(tx: Tx, changed: Campaign) -> None:
    """Store a campaign as it is now."""
    await CAMPAIGNS.save(tx.connection, [changed])
