"""Alembic's entry for this service."""

from libs.common.runtime.migrations import run

run()
