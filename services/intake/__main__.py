"""Runs intake as a process of its own."""

from libs.common.runtime.run import run
from services.intake.service import SERVICE

run(SERVICE)
