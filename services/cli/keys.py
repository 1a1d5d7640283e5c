"""Keys for whoever speaks to the platform over HTTP."""

import json
from typing import Annotated, cast

import typer

from libs.common.local.home import prepare_home
from libs.common.runtime.security import ROLES, KeyRing, Role
from libs.common.runtime.settings import read_settings
from services.cli.screen import say, table

app = typer.Typer(help="Issue and list API keys.", no_args_is_help=True)


@app.command()
def issue(
    name: Annotated[str, typer.Argument(help="Who uses it. Who has a key gets a new one, and the old one ends.")],
    role: Annotated[list[str], typer.Option(help=f"What it may do, one or more of {', '.join(ROLES)}.")],
    unit: Annotated[list[str] | None, typer.Option(help="A unit it is limited to, by its code; repeatable.")] = None,
) -> None:
    """Issue a key and print it, this once: only its hash is kept."""
    settings = read_settings()
    prepare_home(settings)
    say(KeyRing(settings.keys_file).issue(name, cast(list[Role], role), unit or ()))


@app.command("list")
def list_keys() -> None:
    """List who holds a key and what for."""
    file = read_settings().keys_file
    rows = json.loads(file.read_text()) if file.exists() else []
    shown = [(row["name"], ", ".join(row["roles"]), ", ".join(row.get("units", ())) or "any") for row in rows]
    table(f"Keys in {file}", ("name", "roles", "units"), sorted(shown))
