"""Appeals 申诉 of units against what was counted: that a ticket enters its score, ruled on by who stands above it."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal
from uuid import UUID

from libs.common.contracts.feedback import ScoreAppealed, ScoreRuled
from libs.common.contracts.vocabulary import UnitRef
from services.feedback.domain.reviews import NotPossibleError

AppealState = Literal["open", "upheld", "refused"]


@dataclass(frozen=True, slots=True)
class ScoreAppeal:
    """One appeal of a unit against the rounds of a ticket that were counted in a month; `note` is redacted.

    Once ruled on it has a `ruling` in words, and if it was upheld the `version` that counts the ticket no more.
    """

    appeal_id: UUID
    period: str
    ticket_id: UUID
    rounds: tuple[int, ...]
    unit_code: str
    unit_name: str
    ground: str
    note: str
    state: AppealState
    appealed_at: datetime
    appealed_by: str
    ruled_at: datetime | None = None
    ruled_by: str | None = None
    ruling: str | None = None
    version: int | None = None

    @property
    def unit(self) -> UnitRef:
        """Who appeals."""
        return UnitRef(code=self.unit_code, name=self.unit_name)

    @property
    def told(self) -> ScoreAppealed:
        """What is said when it is made."""
        return ScoreAppealed(unit=self.unit, period=self.period, ticket=self.ticket_id, ground=self.ground)


def rule(appeal: ScoreAppeal, by: str, note: str, now: datetime, version: int | None) -> tuple[ScoreAppeal, ScoreRuled]:
    """Rule on an appeal, once; with a `version` that leaves the ticket out it is upheld. Raises NotPossibleError."""
    if appeal.state != "open":
        raise NotPossibleError("the appeal was ruled on already, and a ruling is not changed")
    upheld = version is not None
    ruled = replace(
        appeal, state="upheld" if upheld else "refused", ruled_at=now, ruled_by=by, ruling=note, version=version
    )
    said = ScoreRuled(unit=appeal.unit, period=appeal.period, ticket=appeal.ticket_id, upheld=upheld, note=note)
    return ruled, said
