"""The tables of sla and all its SQL."""

from services.sla.store.clocks import clocks_of, open_clocks, save_clocks
from services.sla.store.supervision import cases_of, open_cases, save_cases

__all__ = ["cases_of", "clocks_of", "open_cases", "open_clocks", "save_cases", "save_clocks"]
