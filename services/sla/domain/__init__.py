"""What sla decides: on the facts it heard, about the clocks of a ticket and its supervision."""

from services.sla.domain.board import (
    SOON,
    Board,
    Cases,
    Count,
    Picture,
    Soon,
    Tally,
    board,
    by_unit,
    changes,
    fingerprint,
)
from services.sla.domain.cases import Case
from services.sla.domain.clocks import Step, next_due, pause, resume
from services.sla.domain.extensions import Extension, asked, ruled
from services.sla.domain.facts import Again, Classified, Done, Facts, Led, Received, Returned
from services.sla.domain.notices import (
    LIGHTS,
    Alert,
    Bundle,
    Dropped,
    Moved,
    Telling,
    alerts,
    bundle,
    told_again,
)
from services.sla.domain.policy import Book, Mark, Matter, Policy
from services.sla.domain.tasks import TaskClock
from services.sla.domain.tickets import Ruling, decide
from services.sla.domain.times import Clock, NotPossibleError, Stood

__all__ = [
    "LIGHTS",
    "SOON",
    "Again",
    "Alert",
    "Board",
    "Book",
    "Bundle",
    "Case",
    "Cases",
    "Classified",
    "Clock",
    "Count",
    "Done",
    "Dropped",
    "Extension",
    "Facts",
    "Led",
    "Mark",
    "Matter",
    "Moved",
    "NotPossibleError",
    "Picture",
    "Policy",
    "Received",
    "Returned",
    "Ruling",
    "Soon",
    "Step",
    "Stood",
    "Tally",
    "TaskClock",
    "Telling",
    "alerts",
    "asked",
    "board",
    "bundle",
    "by_unit",
    "changes",
    "decide",
    "fingerprint",
    "next_due",
    "pause",
    "resume",
    "ruled",
    "told_again",
]
