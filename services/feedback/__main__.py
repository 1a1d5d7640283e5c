"""Runs feedback as a process of its own."""

from libs.common.runtime.run import run
from services.feedback.service import SERVICE

run(SERVICE)
