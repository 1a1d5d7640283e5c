"""Keys for whoever speaks to the platform over HTTP.

Who changed what is a line of the log, as it is over HTTP. It is on stderr, for a command is typed where no platform may
run and no database be reached: the first key is issued before there is one.
"""

import os
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated, cast

import structlog
import typer

from libs.common.city.problems import Problems
from libs.common.city.units import load_units
from libs.common.contracts.vocabulary import Channel
from libs.common.runtime.keyfile import KeysError
from libs.common.runtime.process import ensure_private
from libs.common.runtime.security import CHANNELS, LONGEST_OVERLAP_HOURS, OVERLAP_HOURS, ROLES, KeyRing, Role
from libs.common.runtime.settings import read_settings
from services.cli.keys_staff import issue_all, read_staff
from services.cli.screen import say, table

app = typer.Typer(help="Issue, rotate, revoke and list API keys.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="The client's name.")]
LINE = (
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.JSONRenderer(ensure_ascii=False),
)


@app.command()
def issue(
    name: Annotated[str, typer.Argument(help="Who uses it. Who has a key gets a new one, and the old one ends.")],
    role: Annotated[list[str], typer.Option(help=f"What it may do, one or more of {', '.join(ROLES)}.")],
    unit: Annotated[list[str] | None, typer.Option(help="A unit it is limited to, by its code; repeatable.")] = None,
    channel: Annotated[
        list[str] | None, typer.Option(help=f"A channel it is limited to, of {', '.join(CHANNELS)}; repeatable.")
    ] = None,
    per_minute: Annotated[int | None, typer.Option(min=1, help="How much it may post in a minute.")] = None,
) -> None:
    """Issue a key and print it, this once: only its hash is kept."""
    settings = read_settings()
    ensure_private(settings.home)
    channels = cast(list[Channel], channel or [])
    say(KeyRing(settings.keys_file).issue(name, cast(list[Role], role), unit or (), channels, per_minute))
    rights = {"roles": role, "units": unit or [], "channels": channels, "per_minute": per_minute}
    _tell("client registered", name, **rights)


@app.command()
def staff(
    accounts: Annotated[Path, typer.Argument(help="A CSV file: name, roles, units; lists joined by ' | '.")],
    into: Annotated[Path, typer.Argument(help="A new file for the keys, which only you can read.")],
) -> None:
    """Issue a key to each staff account of units in a file; with anything wrong in it, to none."""
    settings = read_settings()
    ensure_private(settings.home)
    problems = Problems()
    units = load_units(settings.city, problems)
    problems.raise_if_any()
    ring = KeyRing(settings.keys_file)
    wanted = read_staff(accounts, units, {key.holder.name for key in ring.issued()})
    try:
        for account in issue_all(wanted, ring, into):
            _tell("client registered", account.name, roles=sorted(account.roles), units=sorted(account.units))
    except FileExistsError:
        raise KeysError(f"{into} exists; the keys go into a new file") from None
    say(f"{len(wanted)} keys are in {into}. Hand them out, then delete it: they cannot be read again.")


@app.command()
def rotate(
    name: Name,
    overlap_hours: Annotated[
        int, typer.Option(min=0, max=LONGEST_OVERLAP_HOURS, help="For how long the old key works yet.")
    ] = OVERLAP_HOURS,
) -> None:
    """Give a client a new key with the same rights and print it, this once; the old one works for a while yet."""
    say(KeyRing(read_settings().keys_file).rotate(name, overlap_hours))
    _tell("key rotated", name, overlap_hours=overlap_hours)


@app.command()
def revoke(name: Name) -> None:
    """End all keys of a client; running processes know it within a second."""
    KeyRing(read_settings().keys_file).revoke(name)
    say(f"{name} has no key any more.")
    _tell("client revoked", name)


@app.command("list")
def list_keys(
    unit: Annotated[str | None, typer.Option(help="Only who is limited to this unit, by its code.")] = None,
) -> None:
    """List who holds a key and what for."""
    file = read_settings().keys_file
    rows = []
    for key in KeyRing(file).issued():
        holder = key.holder
        if unit and unit not in holder.units:
            continue
        limits = [", ".join(sorted(limit)) or "any" for limit in (holder.roles, holder.units, holder.channels)]
        rows.append((holder.name, *limits, holder.per_minute or "", _at(key.issued_at), _at(key.until)))
    table(f"Keys in {file}", ("name", "roles", "units", "channels", "per minute", "issued", "until"), rows)


def _tell(event: str, name: str, **more: object) -> None:
    log = structlog.wrap_logger(structlog.WriteLogger(sys.stderr), processors=LINE)
    log.info(event, client=name, by=f"command of user {os.getuid()}", **more)


def _at(at: datetime | None) -> str:
    return f"{at.astimezone():%Y-%m-%d %H:%M}" if at else ""
