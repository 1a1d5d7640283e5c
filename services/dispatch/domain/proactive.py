"""Work before the appeal 未诉先办, as a unit sees it beside its orders. Feedback proposes it and hears how it ends."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal
from uuid import UUID

from libs.common.contracts.feedback import ProactiveDeclined, ProactiveDone, ProactiveProposed
from libs.common.contracts.vocabulary import UnitRef

ProactiveState = Literal["open", "done", "declined"]
Rule = Literal["season", "surge", "places", "hand"]
Told = ProactiveProposed | ProactiveDone | ProactiveDeclined


@dataclass(frozen=True, slots=True)
class Proactive:
    """One piece of such work by the last that was heard of it, event `sequence`; `what` and `why` as it was told."""

    order_id: UUID
    sequence: int
    unit_code: str
    unit_name: str
    rule: Rule | None
    codes: tuple[str, ...]
    district: str | None
    street: str | None
    what: str
    why: str
    proposed_at: datetime
    by_date: datetime
    state: ProactiveState = "open"
    ended_at: datetime | None = None

    @property
    def unit(self) -> UnitRef:
        """Who is to act."""
        return UnitRef(code=self.unit_code, name=self.unit_name)


def heard(known: Proactive | None, order_id: UUID, sequence: int, said: Told, at: datetime) -> Proactive | None:
    """Return a piece of work after an event of it, said `at`; None if its proposal was never heard."""
    if isinstance(said, ProactiveProposed):
        return known or Proactive(
            order_id, sequence, said.unit.code, said.unit.name, said.rule, said.codes or (said.code,), said.district,
            said.street, said.what or said.why, said.why, said.at or at, said.by_date,
        )  # fmt: skip
    if known is None or known.sequence >= sequence:
        return known
    state: ProactiveState = "done" if isinstance(said, ProactiveDone) else "declined"
    return replace(known, sequence=sequence, state=state, ended_at=said.at or at)
