"""What feedback keeps of the lines: their days as intake measured them."""

from collections.abc import Sequence

from libs.common.contracts.envelope import Envelope
from libs.common.contracts.intake import LineMeasured
from libs.common.messaging.transaction import Tx
from services.feedback.domain.reports import LineDay
from services.feedback.handlers.around import Here
from services.feedback.store import lines as store


async def on_measured(events: Sequence[Envelope[LineMeasured]], tx: Tx, _: Here) -> None:
    """Keep the days of lines; the last measure of one counts."""
    days = {(event.data.line, event.data.period): _day(event.data) for event in events}
    await store.save_line_days(tx, list(days.values()))


def _day(measured: LineMeasured) -> LineDay:
    return LineDay(
        measured.line, measured.period, measured.offered, measured.answered, measured.abandoned,
        measured.answered_in_time_rate, measured.mean_wait_seconds, measured.longest_wait_seconds, measured.dead,
        measured.cold, measured.test_calls, measured.explained_rate,
    )  # fmt: skip
