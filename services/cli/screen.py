"""How commands speak: plain lines and tables on a terminal, plain text in a pipe."""

import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from libs.common.local.home import key_file
from libs.common.local.ingress import SERVICES
from libs.common.runtime.settings import Settings

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)

APPEAL = '{"channel":"web","text":"朝阳区望京街道花家地小区3号楼暖气不热，家里只有十五度"}'
"""The first appeal to try: its place and its question are beyond doubt."""


def say(text: str = "", style: str | None = None) -> None:
    """Print a line as it is: no markup, and no line break that would spoil a copied command."""
    out.print(Text(text, style=style or ""), soft_wrap=True)


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table; numbers stand on the right."""
    kept = [list(row) for row in rows]
    drawn = Table(title=title, title_justify="left", title_style="bold", box=None, header_style="dim", pad_edge=False)
    for at, column in enumerate(columns):
        numeric = bool(kept) and all(isinstance(row[at], int | float) for row in kept)
        drawn.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in kept:
        drawn.add_row(*(Text("" if cell is None else str(cell)) for cell in row))
    out.print(drawn)


def welcome(settings: Settings, stop: str) -> None:
    """Say on one screen what is up, where to look, what to try and how to stop."""
    url, key = settings.base_url, shown(key_file(settings))
    bearer = f'-H "Authorization: Bearer $(cat {shlex.quote(key)})"'
    say()
    say(f"接诉已启动 · Jiesu is up on {url}", "bold green")
    say()
    say(f"  Page   {url}/  (citizens: {url}/intake/)")
    say(f"  Key    {key}  has every role; send it as Authorization: Bearer …")
    for name, stage, english in SERVICES:
        say(f"  Docs   {url}/{name}/docs  {stage} {english}")
    say()
    say("Send an appeal, then ask how it goes with the ticket_id of the answer:", "bold")
    say(f"  curl -s {url}/intake/v1/tickets {bearer} -d '{APPEAL}'")
    say(f"  curl -s {url}/intake/v1/tickets/TICKET_ID {bearer}")
    say()
    say(f"{stop} The data stays in {shown(settings.home)}.")


def shown(path: Path) -> str:
    """Return a path as a person would type it from here."""
    absolute = path.absolute()
    return str(absolute.relative_to(Path.cwd())) if absolute.is_relative_to(Path.cwd()) else str(absolute)
