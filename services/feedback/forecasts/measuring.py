"""How well the model does on weeks it had not seen, beside the plainest forecast: the same day of the week before."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from services.feedback.forecasts.model import LEAST_DAYS, WEEKS, Outlook, outlook
from services.feedback.forecasts.panel import Panel

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Measured:
    """Of each series: the errors of the model and of the week before summed over days and over whole weeks.

    `appeals` is what came, `inside` and `weeks_inside` are the shares that lay within their interval. `weeks` is how
    many were measured; with none there is nothing in it.
    """

    weeks: int
    appeals: Array
    error: Array
    naive: Array
    inside: Array
    weeks_error: Array
    weeks_naive: Array
    weeks_inside: Array


def measured(panel: Panel, kinds: npt.NDArray[np.int64], weeks: int) -> Measured:
    """Forecast each of the last `weeks` weeks of a record from what was before it, and compare.

    It is as many weeks as leave the model enough to learn of. `kinds` reach 7 * WEEKS days beyond the record.
    """
    past = panel.counts.shape[1]
    weeks = max(0, min(weeks, (past - LEAST_DAYS) // 7))
    sums = np.zeros((7, len(panel.counts)))
    for week in range(weeks):
        first = past - 7 * (weeks - week)
        seen = panel.counts[:, :first]
        sums += _one(outlook(seen, panel.parents, kinds[: first + 7 * WEEKS]), seen, panel.counts[:, first : first + 7])
    appeals, error, naive, inside, weeks_error, weeks_naive, weeks_inside = sums
    tried = max(weeks, 1)
    return Measured(
        weeks, appeals, error, naive, inside / (7 * tried), weeks_error, weeks_naive, weeks_inside / tried
    )  # fmt: skip


def _one(said: Outlook, seen: Array, came: Array) -> Array:
    """Return what one week adds to the sums."""
    inside = (np.floor(said.days_low[:, :7]) <= came) & (came <= np.ceil(said.days_high[:, :7]))
    whole = came.sum(1)
    week_inside = (np.floor(said.weeks_low[:, 0]) <= whole) & (whole <= np.ceil(said.weeks_high[:, 0]))
    return np.stack(
        [
            whole,
            np.abs(came - said.days[:, :7]).sum(1),
            np.abs(came - seen[:, -7:]).sum(1),
            inside.sum(1),
            np.abs(whole - said.weeks[:, 0]),
            np.abs(whole - seen[:, -7:].sum(1)),
            week_inside,
        ]
    )
