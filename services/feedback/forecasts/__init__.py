"""How many appeals are to be expected, of what and where, by day and by week: a small model of counts, numpy alone."""

from services.feedback.forecasts.kinds import kinds
from services.feedback.forecasts.measuring import Measured, measured
from services.feedback.forecasts.model import DAYS, LEAST_DAYS, MODEL, WEEKS, Outlook, outlook
from services.feedback.forecasts.panel import Counted, Panel, panel

__all__ = [
    "DAYS",
    "LEAST_DAYS",
    "MODEL",
    "WEEKS",
    "Counted",
    "Measured",
    "Outlook",
    "Panel",
    "kinds",
    "measured",
    "outlook",
    "panel",
]
