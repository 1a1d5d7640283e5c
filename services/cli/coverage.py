"""Coverage figures from outside, which the indices of districts rest on: bring in a table of them, list them."""

from pathlib import Path
from typing import Annotated

import typer

from services.cli.client import KeyFile, RefusedError, Url, ask
from services.cli.screen import say, table

app = typer.Typer(help="Bring in and list figures from outside, for the indices of districts.", no_args_is_help=True)
ROOT = "/feedback/v1/coverage"


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="CSV in UTF-8: indicator,district,as_of,value,source.")],
    url: Url = "",
    key: KeyFile = "",
) -> None:
    """Bring a table in: all of it, or none if a cell is wrong."""
    try:
        sent = {"file": (file.name, file.read_bytes())}
    except OSError as error:
        raise RefusedError(f"{file} cannot be read: {error.strerror}") from error
    kept = ask(url, key, "POST", ROOT, files=sent)
    say(f"{kept['figures']} figures are in.", "bold green")


@app.command("list")
def list_(url: Url = "", key: KeyFile = "") -> None:
    """List all figures with their dates and sources."""
    figures = ask(url, key, "GET", ROOT)
    columns = ("indicator", "district", "as_of", "value", "source", "imported_by")
    table("Coverage", columns, [[one[name] for name in columns] for one in figures])
