"""Versions of rules, decisions with their reasons, backtests, loads and handovers."""

from libs.common.runtime.migrations import execute

revision = "0005"
down_revision = "0004"

TABLES = """
"""


def upgrade() -> None:
    """Change the tables."""
    execute(TABLES)
