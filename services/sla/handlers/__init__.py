"""What sla does, by concept."""

from services.sla.handlers.around import Engine, Here
from services.sla.handlers.board import fold_changes, follow, look
from services.sla.handlers.calendar import calendar_of, keep_calendar, working_day
from services.sla.handlers.clocks import look_at, pause_clocks, resume_clocks
from services.sla.handlers.extensions import ask_extension, asked_for, rule_extension
from services.sla.handlers.following import JOINED, TIMER, on_event, on_joined, on_timer
from services.sla.handlers.joint import Bound, call_together, come, conclude_with, fulfil_duty, report, send_check
from services.sla.handlers.lateness import Forecast, chance_of, forecast, keep_lateness
from services.sla.handlers.memory import MEMORY
from services.sla.handlers.notices import letters, send_again, send_due
from services.sla.handlers.overseeing import (
    Charge,
    answer,
    close_case,
    hand_over,
    hold_tickets,
    judge,
    owned_now,
    propose_deduction,
    put_under,
    raise_level,
    send_notice,
    show_case,
)
from services.sla.handlers.policies import keep_current
from services.sla.handlers.seeing import seen_units
from services.sla.handlers.supervision import CASE, HOT, keep_owners, on_case_timer, on_hotspot
from services.sla.handlers.tasks import HELP, on_help, on_task_timer
from services.sla.handlers.tasks import TIMER as TASK_TIMER

__all__ = [
    "CASE",
    "HELP",
    "HOT",
    "JOINED",
    "MEMORY",
    "TASK_TIMER",
    "TIMER",
    "Bound",
    "Charge",
    "Engine",
    "Forecast",
    "Here",
    "answer",
    "ask_extension",
    "asked_for",
    "calendar_of",
    "call_together",
    "chance_of",
    "close_case",
    "come",
    "conclude_with",
    "fold_changes",
    "follow",
    "forecast",
    "fulfil_duty",
    "hand_over",
    "hold_tickets",
    "judge",
    "keep_calendar",
    "keep_current",
    "keep_lateness",
    "keep_owners",
    "letters",
    "look",
    "look_at",
    "on_case_timer",
    "on_event",
    "on_help",
    "on_hotspot",
    "on_joined",
    "on_task_timer",
    "on_timer",
    "owned_now",
    "pause_clocks",
    "propose_deduction",
    "put_under",
    "raise_level",
    "report",
    "resume_clocks",
    "rule_extension",
    "seen_units",
    "send_again",
    "send_check",
    "send_due",
    "send_notice",
    "show_case",
    "working_day",
]
