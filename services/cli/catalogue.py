"""The catalogue: take a version in, see what it changes, say from when on it judges, go back."""

from pathlib import Path
from typing import Annotated, Any

import typer

from services.cli.client import KeyFile, RefusedError, Url, ask
from services.cli.screen import say, table

app = typer.Typer(help="Import, compare, activate and roll back versions of the catalogue.", no_args_is_help=True)
Version = Annotated[str, typer.Argument(help="A version, as `catalogue list` shows it.")]
At = Annotated[str, typer.Option(help="From when on, like 2026-12-01T00:00:00+08:00; at once without it.")]
Reason = Annotated[str, typer.Option(help="Why; kept with it.")]
ROOT = "/classify/v1/catalogues"
MOST_SHOWN = 200


@app.command("import")
def import_(
    source: Annotated[Path, typer.Argument(help="A folder of CSV files, as in a city pack, or a zip archive of them.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only check it and show what it changes.")] = False,
    note: Annotated[str, typer.Option(help="What to remember of it.")] = "",
    url: Url = "",
    key: KeyFile = "",
) -> None:
    """Bring a catalogue in. It judges nothing until it is activated."""
    paths = sorted(source.glob("*.csv")) if source.is_dir() else [source]
    try:
        files = [("files", (path.name, path.read_bytes())) for path in paths]
    except OSError as error:
        raise RefusedError(f"{source} cannot be read: {error.strerror}") from error
    if not files:
        raise RefusedError(f"{source} holds no CSV file")
    query = {"dry_run": dry_run, **({"note": note} if note else {})}
    taken = ask(url, key, "POST", ROOT, files=files, params=query)
    show(taken["difference"])
    version = taken["catalogue"]["version"]
    if dry_run:
        say(f"It would be version {version}." if taken["new"] else f"Version {version} is there already.")
    else:
        say(f"Version {version} is {'in' if taken['new'] else 'there already'}.", "bold green")
        say(f"Next: model train --catalogue {version}, then catalogue activate {version}.")


@app.command()
def diff(
    version: Version,
    against: Annotated[str, typer.Option(help="Another version; the one in force without it.")] = "",
    url: Url = "",
    key: KeyFile = "",
) -> None:
    """Show in what a version differs from another."""
    show(ask(url, key, "GET", f"{ROOT}/{version}/diff", params={"against": against} if against else {}))


@app.command()
def activate(
    version: Version,
    model: Annotated[str, typer.Option(help="A model of it; the one trained last without it.")] = "",
    at: At = "",
    reason: Reason = "",
    url: Url = "",
    key: KeyFile = "",
) -> None:
    """Have a version judge."""
    told(ask(url, key, "POST", f"{ROOT}/{version}/activate", json=said(model=model, at=at, reason=reason)))


@app.command("roll-back")
def roll_back(reason: Reason = "", url: Url = "", key: KeyFile = "") -> None:
    """Go back to the version that judged before."""
    told(ask(url, key, "POST", f"{ROOT}/roll-back", json=said(reason=reason)))


@app.command("list")
def list_(url: Url = "", key: KeyFile = "") -> None:
    """List the versions, and which judged from when on."""
    rows = [
        (c["version"], c["questions"], c["imported_at"][:16], c["by"] or "city pack", len(c["models"]),
         "in force" if c["in_force"] else "", c["note"])
        for c in ask(url, key, "GET", ROOT)
    ]  # fmt: skip
    table("Catalogues", ("version", "questions", "imported", "by", "models", "", "note"), rows)
    _show_activations(url, key)


def _show_activations(url: str, key: str) -> None:
    standing = ask(url, key, "GET", "/classify/v1/activations", params={"limit": 20})
    force = standing["in_force"] and standing["in_force"]["activation_id"]
    rows = [
        (a["from_at"][:16], a["catalogue"], a["model"], a["by"] or "city pack", _state(a, force), a["reason"])
        for a in standing["activations"]
    ]
    table("Activations", ("from", "catalogue", "model", "by", "", "reason"), rows)


def _state(activation: dict[str, Any], force: str | None) -> str:
    if activation["cancelled_at"]:
        return "cancelled"
    if force == activation["activation_id"]:
        return "in force"
    return "roll-back" if activation["back_to"] else ""


def said(**options: str) -> dict[str, str]:
    """Return the options that were given."""
    return {name: value for name, value in options.items() if value}


def told(activation: dict[str, Any]) -> None:
    """Say from when on what judges."""
    what = f"Catalogue {activation['catalogue']} with model {activation['model']}"
    say(f"{what} judges from {activation['from_at']} on.", "bold green")


def show(difference: dict[str, Any]) -> None:
    """Show what changes: how much of each kind, and each."""
    if not difference["changes"]:
        say(f"No question differs from {difference['against']}.")
        return
    changes = difference["changes"]
    table(f"Against {difference['against']}", ("change", "questions"), sorted(difference["counts"].items()))
    rows = [(c["what"], c["code"], "/".join(c["category"]), c["before"], c["after"]) for c in changes[:MOST_SHOWN]]
    table("Changes", ("change", "code", "question", "before", "after"), rows)
    if len(changes) > MOST_SHOWN:
        say(f"… and {len(changes) - MOST_SHOWN} more; GET {ROOT}/{difference['version']}/diff has all.")
