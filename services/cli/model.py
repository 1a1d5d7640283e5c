"""The model: train one of what people confirmed, measure it, let it challenge, promote it, go back."""

import time
from typing import Annotated, Any

import typer

from services.cli.catalogue import At, Reason, said, told
from services.cli.client import KeyFile, RefusedError, Url, ask
from services.cli.screen import say, table

app = typer.Typer(help="Train, evaluate, challenge, promote and roll back models.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="A model, as `model list` shows it.")]
Wait = Annotated[bool, typer.Option("--wait/--no-wait", help="Stay until it is done.")]
ROOT = "/classify/v1/models"
LOOK_SECONDS = 1.0
MEASURES = ("texts", "level1", "level3", "top3", "owner", "calibration_error")
_COLUMNS = ("measured on", "texts", "level 1", "question", "top 3", "owner", "calibration error")


@app.command()
def train(
    catalogue: Annotated[str, typer.Option(help="A version of the catalogue; the one in force without it.")] = "",
    wait: Wait = True,
    url: Url = "",
    key: KeyFile = "",
) -> None:
    """Train a model of a catalogue and of what people and rulings said of tickets."""
    run = ask(url, key, "POST", f"{ROOT}/train", json=said(catalogue=catalogue))
    _follow(run, url, key, wait=wait)


@app.command()
def evaluate(name: Name, wait: Wait = True, url: Url = "", key: KeyFile = "") -> None:
    """Measure a model on what people confirmed after it was trained."""
    _follow(ask(url, key, "POST", f"{ROOT}/{name}/evaluate"), url, key, wait=wait)


@app.command()
def show(name: Name, url: Url = "", key: KeyFile = "") -> None:
    """Show what was measured of a model, and how it did beside each champion."""
    model = ask(url, key, "GET", f"{ROOT}/{name}")
    say(f"Model {name} of catalogue {model['catalogue']}, {model['labels']} confirmed tickets, data {model['data']}.")
    metrics = model["metrics"]
    kinds = (("phrases", "held-out phrases"), ("confirmed", "newest confirmed"), ("later", "confirmed since"))
    rows = [(what, *(metrics[kind][m] for m in MEASURES)) for kind, what in kinds if metrics[kind]]
    table("Measured", _COLUMNS, rows)
    if model["challenges"]:
        columns = ("champion", "tickets", "agreed", "confirmed", "hits", "champion_hits")
        rows = [tuple(tally[column] for column in columns) for tally in model["challenges"]]
        table("Side by side", [column.replace("_", " ") for column in columns], rows)


@app.command()
def challenge(name: Name, url: Url = "", key: KeyFile = "") -> None:
    """Have a model judge beside the one in force, only to be counted."""
    ask(url, key, "POST", f"{ROOT}/{name}/challenge")
    say(f"{name} judges beside the model in force; `model show {name}` compares them.", "bold green")


@app.command()
def promote(name: Name, at: At = "", reason: Reason = "", url: Url = "", key: KeyFile = "") -> None:
    """Have a model judge."""
    told(ask(url, key, "POST", f"{ROOT}/{name}/promote", json=said(at=at, reason=reason)))


@app.command("roll-back")
def roll_back(reason: Reason = "", url: Url = "", key: KeyFile = "") -> None:
    """Go back to the model of this catalogue that judged before."""
    told(ask(url, key, "POST", f"{ROOT}/roll-back", json=said(reason=reason)))


@app.command()
def drift(url: Url = "", key: KeyFile = "") -> None:
    """Say whether what comes in still is what the model in force was trained for."""
    seen = ask(url, key, "GET", f"{ROOT}/drift")
    if seen["index"] is None:
        say("Too few tickets to say.")
        return
    say(f"Model {seen['model']}, index {seen['index']}: " + ("drifting." if seen["drifting"] else "as it was."))
    for reason in seen["reasons"]:
        say(f"  {reason}")


@app.command("list")
def list_(url: Url = "", key: KeyFile = "") -> None:
    """List the models, and what was asked for."""
    rows = [
        (m["name"], m["catalogue"], m["trained_at"][:10], m["labels"], _level3(m), _place(m))
        for m in ask(url, key, "GET", ROOT)
    ]
    table("Models", ("name", "catalogue", "trained", "labels", "right", ""), rows)
    runs = [
        (r["asked_at"][:16], r["task"], r["state"], r["model"], r["by"], r["error"])
        for r in ask(url, key, "GET", f"{ROOT}/runs")
    ]
    table("Runs", ("asked", "task", "state", "model", "by", "error"), runs)


def _level3(model: dict[str, Any]) -> float | str:
    metrics = model["metrics"]
    measured = metrics["later"] or metrics["confirmed"] or metrics["phrases"]
    return float(measured["level3"]) if measured else ""


def _place(model: dict[str, Any]) -> str:
    return "in force" if model["in_force"] else "challenger" if model["challenger"] else ""


def _follow(run: dict[str, Any], url: str, key: str, *, wait: bool) -> None:
    """Stay until a run is done, and show the model. Raises RefusedError if it failed."""
    if not wait:
        say(f"Asked for; `model list` shows how it goes ({run['run_id']}).")
        return
    say("At work in the background; Ctrl-C leaves it to it …")
    while not run["ended_at"]:
        time.sleep(LOOK_SECONDS)
        run = ask(url, key, "GET", f"{ROOT}/runs/{run['run_id']}")
    if run["state"] == "failed":
        raise RefusedError(f"it failed: {run['error']}")
    show(run["model"], url, key)
