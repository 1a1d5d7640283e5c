"""Keys for whoever speaks to the platform over HTTP."""

from datetime import datetime
from typing import Annotated, cast

import typer

from libs.common.contracts.vocabulary import Channel
from libs.common.local.home import prepare_home
from libs.common.runtime.security import CHANNELS, LONGEST_OVERLAP_HOURS, OVERLAP_HOURS, ROLES, KeyRing, Role
from libs.common.runtime.settings import read_settings
from services.cli.screen import say, table

app = typer.Typer(help="Issue, rotate, revoke and list API keys.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="The client's name.")]


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
    prepare_home(settings)
    channels = cast(list[Channel], channel or [])
    say(KeyRing(settings.keys_file).issue(name, cast(list[Role], role), unit or (), channels, per_minute))


@app.command()
def rotate(
    name: Name,
    overlap_hours: Annotated[
        int, typer.Option(min=0, max=LONGEST_OVERLAP_HOURS, help="For how long the old key works yet.")
    ] = OVERLAP_HOURS,
) -> None:
    """Give a client a new key with the same rights and print it, this once; the old one works for a while yet."""
    say(KeyRing(read_settings().keys_file).rotate(name, overlap_hours))


@app.command()
def revoke(name: Name) -> None:
    """End all keys of a client; running processes know it within a second."""
    KeyRing(read_settings().keys_file).revoke(name)
    say(f"{name} has no key any more.")


@app.command("list")
def list_keys() -> None:
    """List who holds a key and what for."""
    file = read_settings().keys_file
    rows = []
    for key in KeyRing(file).issued():
        holder = key.holder
        limits = [", ".join(sorted(limit)) or "any" for limit in (holder.roles, holder.units, holder.channels)]
        rows.append((holder.name, *limits, holder.per_minute or "", _at(key.issued_at), _at(key.until)))
    table(f"Keys in {file}", ("name", "roles", "units", "channels", "per minute", "issued", "until"), rows)


def _at(at: datetime | None) -> str:
    return f"{at.astimezone():%Y-%m-%d %H:%M}" if at else ""
