"""The registered clients: who may speak to the platform, issued, rotated and revoked by an operator."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import Annotated, TypeVar

import structlog
from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field, StringConstraints
from starlette.responses import Response

from libs.common.contracts.vocabulary import Channel
from libs.common.runtime.http import Body, Line, Page
from libs.common.runtime.keyfile import KeysError
from libs.common.runtime.problems import Problem
from libs.common.runtime.security import (
    LONGEST_OVERLAP_HOURS,
    NAME,
    OVERLAP_HOURS,
    Key,
    Principal,
    Role,
    UnknownClientError,
    require,
)
from services.intake.api.around import Context

router = APIRouter()
log = structlog.get_logger(__name__)
T = TypeVar("T")
Operator = Annotated[Principal, Depends(require("operator"))]


class Rights(Body):
    """What a client may do. No units: any; no channels: any; no `per_minute`: without limit."""

    roles: Annotated[tuple[Role, ...], Field(min_length=1, max_length=20)]
    units: Annotated[tuple[Line, ...], Field(max_length=1000)] = ()
    channels: Annotated[tuple[Channel, ...], Field(max_length=20)] = ()
    per_minute: Annotated[int, Field(ge=1, le=10_000_000)] | None = None

    def of(self, name: str) -> Principal:
        """Return the client of this name with these rights."""
        return Principal(name, frozenset(self.roles), frozenset(self.units), frozenset(self.channels), self.per_minute)


class NewClient(Rights):
    """A client to register."""

    name: Annotated[str, StringConstraints(pattern=NAME)]


class Rotation(Body):
    """For how many hours the old key works yet; 0 ends it at once."""

    overlap_hours: Annotated[int, Field(ge=0, le=LONGEST_OVERLAP_HOURS)] = OVERLAP_HOURS


class ClientView(BaseModel):
    """A client. `old_key_until` is there while the key before the last rotation still works."""

    name: str
    roles: list[str]
    units: list[str]
    channels: list[str]
    per_minute: int | None
    issued_at: datetime | None
    old_key_until: datetime | None


class IssuedKey(BaseModel):
    """A key, shown this once: only its hash is kept."""

    name: str
    key: str


@router.get("/clients")
async def list_clients(here: Context, _: Operator) -> Page[ClientView]:
    """List the registered clients by name, all of them in one page."""
    return Page(items=list(_views(await _done(here.keys.issued))), next=None)


@router.post("/clients", status_code=201)
async def register(here: Context, operator: Operator, client: NewClient) -> IssuedKey:
    """Register a client. Its key works at once, in every process."""
    key = await _done(lambda: here.keys.register(client.of(client.name)))
    _tell("client registered", operator, client.name, client)
    return IssuedKey(name=client.name, key=key)


@router.put("/clients/{name}")
async def change(here: Context, operator: Operator, name: str, rights: Rights) -> ClientView:
    """Give a client other rights, with the keys it has."""
    await _done(lambda: here.keys.change(rights.of(name)))
    _tell("client changed", operator, name, rights)
    for view in _views([key for key in await _done(here.keys.issued) if key.holder.name == name]):
        return view
    raise Problem(404, "no such client")  # revoked since


@router.post("/clients/{name}/rotate")
async def rotate(here: Context, operator: Operator, name: str, rotation: Rotation) -> IssuedKey:
    """Give a client a new key; the old one works for the overlap yet."""
    key = await _done(lambda: here.keys.rotate(name, rotation.overlap_hours))
    log.info("key rotated", client=name, by=operator.name, overlap_hours=rotation.overlap_hours)
    return IssuedKey(name=name, key=key)


@router.delete("/clients/{name}", status_code=204)
async def revoke(here: Context, operator: Operator, name: str) -> Response:
    """End all keys of a client: here at once, in other processes within a second."""
    await _done(lambda: here.keys.revoke(name))
    log.info("client revoked", client=name, by=operator.name)
    return Response(status_code=204)


async def _done(work: Callable[[], T]) -> T:
    """Do what reads or writes the key file, beside the event loop. Raises Problem 404 or 409."""
    try:
        return await asyncio.to_thread(work)
    except UnknownClientError as error:
        raise Problem(404, "no such client") from error
    except KeysError as error:
        raise Problem(409, str(error)) from error


def _tell(event: str, operator: Principal, name: str, rights: Rights) -> None:
    log.info(event, client=name, by=operator.name, **rights.model_dump(mode="json", exclude={"name"}))


def _views(keys: Sequence[Key]) -> Iterator[ClientView]:
    for name, group in groupby(keys, lambda key: key.holder.name):
        newest, *old = group
        holder = newest.holder
        yield ClientView(
            name=name,
            roles=sorted(holder.roles),
            units=sorted(holder.units),
            channels=sorted(holder.channels),
            per_minute=holder.per_minute,
            issued_at=newest.issued_at,
            old_key_until=max((key.until for key in old if key.until), default=None),
        )
