"""Jobs that people ask for, one at a time: one that cannot be done holds up none that was asked for after it."""

from dataclasses import replace
from datetime import datetime
from typing import TypeVar

import structlog

from libs.common.messaging.retry import describe, is_transient
from libs.common.versions import UnknownVersionError
from services.dispatch.domain.backtests import Backtest
from services.dispatch.domain.handovers import Handover

J = TypeVar("J", Backtest, Handover)

log = structlog.get_logger(__name__)


def failed(job: J, error: Exception, now: datetime) -> J:
    """Return a job as it ends by an error. Raises the error if it will pass, for the job is tried again then."""
    if is_transient(error):
        raise error
    log.error("job failed", job=type(job).__name__.lower(), error=describe(error))
    # What is not made to be read may quote data.
    told = str(error) if isinstance(error, UnknownVersionError) else "it could not be done: the log has the error"
    return replace(job, state="failed", ended_at=now, error=told)
