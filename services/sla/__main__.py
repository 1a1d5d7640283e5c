"""Runs sla as a process of its own."""

from libs.common.runtime.run import run
from services.sla.service import SERVICE

run(SERVICE)
