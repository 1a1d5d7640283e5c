"""What dispatch's handlers find around them."""

from collections.abc import Mapping
from dataclasses import dataclass

from libs.common.city.returns import Returns
from libs.common.city.units import Unit
from libs.common.runtime.files import FileStore
from libs.common.runtime.media.taking import Uploads
from libs.common.runtime.privacy import Vault
from libs.common.runtime.service import Context
from services.dispatch.domain import Limits, Names
from services.dispatch.messages import Messages
from services.dispatch.routing import Router


@dataclass(frozen=True, slots=True)
class Engine:
    """What dispatch keeps in memory. After `returns_before_centre` returns only the centre rules.

    `returns` says on which grounds orders are returned, and how soon.

    `below` are the codes of each unit and all under it, `offices` who is reached at a unit, `numbers` the digits of
    all that the city lists; `vault` seals the keys of `files`.
    """

    router: Router
    returns_before_centre: int
    returns: Returns
    units: Mapping[str, Unit]
    below: Mapping[str, frozenset[str]]
    offices: Mapping[str, str]
    numbers: frozenset[str]
    limits: Limits
    files: FileStore
    uploads: Uploads
    vault: Vault
    messages: Messages
    names: Names
    asked: tuple[object, ...] | None = None
    """Which rules this process was last told to decide by: the version now, and each to come with its time."""


Here = Context[Engine]
