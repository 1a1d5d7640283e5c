"""Whose work an appeal is: the rules of routing, the router that tries them, and what is said of how it went."""

from services.dispatch.routing.router import Account, Router, SecondOpinion, matter_at
from services.dispatch.routing.rules import Index, Schedule

__all__ = ["Account", "Index", "Router", "Schedule", "SecondOpinion", "matter_at"]
