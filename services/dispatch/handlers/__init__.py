"""What dispatch does, by concept."""

from services.dispatch.handlers.around import Engine, Here
from services.dispatch.handlers.backtests import do_backtests
from services.dispatch.handlers.deciding import purge_decisions
from services.dispatch.handlers.evidence import add_evidence, evidence_of, read_evidence, sweep_evidence
from services.dispatch.handlers.following import MEMORY, UNHEARD, on_event, on_timer, prepare
from services.dispatch.handlers.handovers import do_handovers
from services.dispatch.handlers.helping import Asked, ask_help, task_command
from services.dispatch.handlers.hotspots import hot_among, hot_events_of, on_hotspot
from services.dispatch.handlers.loads import keep_loads
from services.dispatch.handlers.proactive import on_proactive
from services.dispatch.handlers.returning import Ruled, give_back, on_ruling_late, rule_on
from services.dispatch.handlers.rules import keep_current
from services.dispatch.handlers.seeing import listed, show, viewer
from services.dispatch.handlers.settling import RULING
from services.dispatch.handlers.supplementing import on_supplement
from services.dispatch.handlers.verifying import Sent, send_to_look, verify
from services.dispatch.handlers.wording import redacted
from services.dispatch.handlers.working import Checked, check_reply, command, reassign_to, resolve_with

__all__ = [
    "MEMORY",
    "RULING",
    "UNHEARD",
    "Asked",
    "Checked",
    "Engine",
    "Here",
    "Ruled",
    "Sent",
    "add_evidence",
    "ask_help",
    "check_reply",
    "command",
    "do_backtests",
    "do_handovers",
    "evidence_of",
    "give_back",
    "hot_among",
    "hot_events_of",
    "keep_current",
    "keep_loads",
    "listed",
    "on_event",
    "on_hotspot",
    "on_proactive",
    "on_ruling_late",
    "on_supplement",
    "on_timer",
    "prepare",
    "purge_decisions",
    "read_evidence",
    "reassign_to",
    "redacted",
    "resolve_with",
    "rule_on",
    "send_to_look",
    "show",
    "sweep_evidence",
    "task_command",
    "verify",
    "viewer",
]
