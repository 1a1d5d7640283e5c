"""Runs dispatch as a process of its own."""

from libs.common.runtime.run import run
from services.dispatch.service import SERVICE

run(SERVICE)
