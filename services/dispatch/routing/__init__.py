"""Whose work an appeal is: the rules of routing, and the router that tries them."""

from services.dispatch.routing.router import RULES, Router, matter_at

__all__ = ["RULES", "Router", "matter_at"]
