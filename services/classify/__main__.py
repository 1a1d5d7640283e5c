"""Runs classify as a process of its own."""

from libs.common.runtime.run import run
from services.classify.service import SERVICE

run(SERVICE)
