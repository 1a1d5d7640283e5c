"""What feedback does, by concept."""

from services.feedback.handlers.around import Engine, Here
from services.feedback.handlers.asking import review
from services.feedback.handlers.bouncing import on_ruled
from services.feedback.handlers.calling import Task, attempt, release, take, take_next
from services.feedback.handlers.closing import look_for_signs, rule_doubt
from services.feedback.handlers.deductions import on_deduction
from services.feedback.handlers.excluding import RECOUNT, on_recount, on_screened
from services.feedback.handlers.extracts import keep_extracts
from services.feedback.handlers.following import LAPSE, MEMORY, PARENT, on_event, on_linked, on_timer, parent_of
from services.feedback.handlers.forecasts import forecast
from services.feedback.handlers.indices import count_indices
from services.feedback.handlers.lines import on_measured
from services.feedback.handlers.matters import on_hotspot
from services.feedback.handlers.publishing import keep_published
from services.feedback.handlers.quality import measure_quality
from services.feedback.handlers.releases import release_due
from services.feedback.handlers.reports import keep_reports
from services.feedback.handlers.scores import publish_due
from services.feedback.handlers.topics import keep_topics

__all__ = [
    "LAPSE",
    "MEMORY",
    "PARENT",
    "RECOUNT",
    "Engine",
    "Here",
    "Task",
    "attempt",
    "count_indices",
    "forecast",
    "keep_extracts",
    "keep_published",
    "keep_reports",
    "keep_topics",
    "look_for_signs",
    "measure_quality",
    "on_deduction",
    "on_event",
    "on_hotspot",
    "on_linked",
    "on_measured",
    "on_recount",
    "on_ruled",
    "on_screened",
    "on_timer",
    "parent_of",
    "publish_due",
    "release",
    "release_due",
    "review",
    "rule_doubt",
    "take",
    "take_next",
]
