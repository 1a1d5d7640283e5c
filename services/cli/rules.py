"""The rules of routing: take a version in, see what it changes and would have moved, put it in force, go back."""

import time
from csv import DictReader
from pathlib import Path
from typing import Annotated, Any

import typer

from services.cli.catalogue import At, Reason, said
from services.cli.client import KeyFile, RefusedError, Url, ask
from services.cli.screen import say, table

app = typer.Typer(
    help="Import, compare, try on past tickets, activate and roll back rules of routing.", no_args_is_help=True
)
Version = Annotated[str, typer.Argument(help="A version, as `rules list` shows it.")]
Wait = Annotated[bool, typer.Option("--wait/--no-wait", help="Stay until it is done.")]
ROOT = "/dispatch/v1/rules"
LOOK_SECONDS = 1.0
MOST_SHOWN = 40


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="A routing.toml, as in a city pack.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only check it and show what it changes.")] = False,
    note: Annotated[str, typer.Option(help="What to remember of it.")] = "",
    url: Url = "",
    key: KeyFile = "",
) -> None:
    """Bring rules in. They decide nothing until they are activated."""
    try:
        sent = {"file": (file.name, file.read_bytes())}
    except OSError as error:
        raise RefusedError(f"{file} cannot be read: {error.strerror}") from error
    query = {"dry_run": dry_run, **({"note": note} if note else {})}
    taken = ask(url, key, "POST", ROOT, files=sent, params=query)
    _show_difference(taken["difference"])
    version = taken["rules"]["version"]
    if dry_run:
        say(f"It would be version {version}." if taken["new"] else f"Version {version} is there already.")
    else:
        say(f"Version {version} is {'in' if taken['new'] else 'there already'}.", "bold green")
        say(f"Next: rules backtest {version}, then rules activate {version}.")


@app.command("list")
def list_(url: Url = "", key: KeyFile = "") -> None:
    """List the versions, and which decided from when on."""
    rows = [
        (r["version"], r["rules"], r["imported_at"][:16], r["by"] or "city pack", "in force" if r["in_force"] else "",
         r["note"])
        for r in ask(url, key, "GET", ROOT)
    ]  # fmt: skip
    table("Rules", ("version", "rules", "imported", "by", "", "note"), rows)
    standing = ask(url, key, "GET", f"{ROOT}/activations", params={"limit": 20})
    force = standing["in_force"] and standing["in_force"]["activation_id"]
    activations = [
        (a["from_at"][:16], a["version"], a["by"] or "city pack", _state(a, force), a["reason"])
        for a in standing["activations"]
    ]
    table("Activations", ("from", "version", "by", "", "reason"), activations)


@app.command()
def show(version: Version, url: Url = "", key: KeyFile = "") -> None:
    """Print the text of rules."""
    say(ask(url, key, "GET", f"{ROOT}/{version}")["text"])


@app.command()
def diff(
    version: Version,
    against: Annotated[str, typer.Option(help="Another version; the one in force without it.")] = "",
    url: Url = "",
    key: KeyFile = "",
) -> None:
    """Show in what rules differ from others."""
    _show_difference(ask(url, key, "GET", f"{ROOT}/{version}/diff", params=said(against=against)))


@app.command()
def activate(version: Version, at: At = "", reason: Reason = "", url: Url = "", key: KeyFile = "") -> None:
    """Have rules decide."""
    _told(ask(url, key, "POST", f"{ROOT}/{version}/activate", json=said(at=at, reason=reason)))


@app.command("roll-back")
def roll_back(reason: Reason = "", url: Url = "", key: KeyFile = "") -> None:
    """Go back to the rules that decided before."""
    _told(ask(url, key, "POST", f"{ROOT}/roll-back", json=said(reason=reason)))


@app.command()
def explain(
    code: Annotated[str, typer.Argument(help="A question's code, such as heating-01-01.")],
    address: Annotated[str, typer.Option(help="Where it happens.")] = "",
    rules: Annotated[str, typer.Option(help="A version; the one in force without it.")] = "",
    at: At = "",
    url: Url = "",
    key: KeyFile = "",
) -> None:
    """Show where an appeal would go, and which rules were tried on the way."""
    asked = said(code=code, address=address, rules=rules, at=at)
    route = ask(url, key, "POST", "/dispatch/v1/routes", json=asked)
    say(f"{route['unit']['code']} {route['unit']['name']}, by rule {route['rule']} of {route['rules']}", "bold green")
    for why in route["why"]:
        say(f"  {why}")
    tried = [(t["rule"], "applies" if t["applies"] else "；".join(t["why_not"])) for t in route["tried"]]
    table("Tried", ("rule", "why not"), tried)
    if route["opinions"]:
        likely = [(o["unit"]["code"], o["unit"]["name"], o["probability"]) for o in route["opinions"]]
        table("History", ("unit", "name", "probability"), likely)


@app.command()
def backtest(
    version: Version,
    since: Annotated[str, typer.Option("--from", help="From when on, like 2026-11-01T00:00:00+08:00.")],
    until: Annotated[str, typer.Option(help="To before when.")],
    catalogue: Annotated[
        Path | None, typer.Option(help="A folder of CSV files whose owners are tried as well.")
    ] = None,
    wait: Wait = True,
    url: Url = "",
    key: KeyFile = "",
) -> None:
    """Show what rules, and another catalogue, would have moved of the tickets routed in a span of time."""
    body = {"from": since, "until": until, **({"catalogue": _owners(catalogue)} if catalogue else {})}
    test = ask(url, key, "POST", f"{ROOT}/{version}/backtest", json=body)
    while wait and test["state"] == "waiting":
        time.sleep(LOOK_SECONDS)
        test = ask(url, key, "GET", f"{ROOT}/backtests/{test['backtest_id']}")
    if test["report"]:
        _show_report(test["report"])
    else:
        say(f"Backtest {test['backtest_id']} is {test['state']}. {test['error'] or ''}".strip())


@app.command("hand-over")
def hand_over(
    from_unit: Annotated[str, typer.Argument(help="The unit whose open orders go.")],
    to_unit: Annotated[str, typer.Argument(help="The unit that has the duty now.")],
    note: Annotated[str, typer.Option(help="Why; each order keeps it.")],
    code: Annotated[
        list[str] | None, typer.Option(help="Only of this question or beginning of codes; again for more.")
    ] = None,
    street: Annotated[str, typer.Option(help="Only in this street, by its code.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count them.")] = False,
    wait: Wait = True,
    url: Url = "",
    key: KeyFile = "",
) -> None:
    """Hand the open orders of a unit over to another; their clocks run on."""
    body = {"from_unit": from_unit, "to_unit": to_unit, "note": note, "codes": code or [], "dry_run": dry_run}
    begun = ask(url, key, "POST", "/dispatch/v1/handovers", json={**body, **said(street=street)})
    table("Open orders", ("question", "orders"), begun["by_code"].items())
    if dry_run:
        say(f"{begun['found']} orders would go from {from_unit} to {to_unit}.")
        return
    while wait and begun["state"] == "waiting":
        time.sleep(LOOK_SECONDS)
        begun = ask(url, key, "GET", f"/dispatch/v1/handovers/{begun['handover_id']}")
    say(f"{begun['moved']} of {begun['found']} orders went from {from_unit} to {to_unit}.", "bold green")


@app.command()
def loads(
    unit: Annotated[str, typer.Argument(help="A unit's code; every unit without it.")] = "",
    url: Url = "",
    key: KeyFile = "",
) -> None:
    """Show what units have in hand, how fast they work, and what will come."""
    found = ask(url, key, "GET", "/dispatch/v1/loads", params=said(unit=unit))
    rows = [
        (one["unit"]["code"], one["unit"]["name"], one["open"], one["by_urgency"].get("urgent", 0),
         one["by_age"].get("over_7_days", 0), one["per_day"], one["days"])
        for one in sorted(found, key=lambda one: -one["open"])
    ]  # fmt: skip
    table("Loads", ("unit", "name", "open", "urgent", "over 7 days", "a day", "days in hand"), rows)
    if unit and found[0]["forecast"]:
        days = [(one["day"], one["expected"], one["low"], one["high"]) for one in found[0]["forecast"]]
        table("Forecast", ("day", "expected", "low", "high"), days)


def _owners(folder: Path) -> dict[str, dict[str, Any]]:
    """Return whose duty each question of a catalogue is, as its files say."""
    owners: dict[str, dict[str, Any]] = {}
    for path in sorted(folder.glob("*.csv")):
        with path.open(encoding="utf-8-sig", newline="") as file:
            for row in DictReader(file):
                co_handlers = [part.strip() for part in row["co_handlers"].split("|") if part.strip()]
                owner = row["owner"].strip() or None
                owners[row["code"].strip()] = {
                    "owner_kind": row["owner_kind"].strip(), "owner": owner, "co_handlers": co_handlers,
                }  # fmt: skip
    if not owners:
        raise RefusedError(f"{folder} holds no CSV file with questions")
    return owners


def _show_difference(difference: dict[str, Any]) -> None:
    if not difference["changes"]:
        say(f"No rule differs from {difference['against']}.")
        return
    rows = [(c["rule"], c["what"], c["before"], c["after"]) for c in difference["changes"]]
    table(f"Against {difference['against']}", ("rule", "change", "before", "after"), rows)


def _show_report(report: dict[str, Any]) -> None:
    share = 100 * report["share"]
    say(
        f"Of {report['tickets']} tickets {report['moved']} would move ({share:.1f} %), in {report['ways']} ways.",
        "bold",
    )
    moves = [
        (m["from"]["name"], m["to"]["name"], m["tickets"], f"{100 * m['share']:.1f} %", ", ".join(m["examples"]))
        for m in report["moves"][:MOST_SHOWN]
    ]
    table("What would move", ("from", "to", "tickets", "share", "such as"), moves)
    for name in ("category", "rule"):
        groups = [(g["name"], g["tickets"], g["moved"]) for g in report[f"by_{name}"][:MOST_SHOWN]]
        table(f"By {name}", (name, "tickets", "moved"), groups)
    if report["unmeasured"]:
        say(f"{report['unmeasured']} hang on what is not kept: words, or how busy units were.")


def _state(activation: dict[str, Any], force: str | None) -> str:
    if activation["cancelled_at"]:
        return "cancelled"
    if force == activation["activation_id"]:
        return "in force"
    return "roll-back" if activation["back_to"] else ""


def _told(activation: dict[str, Any]) -> None:
    say(f"Rules {activation['version']} decide from {activation['from_at']} on.", "bold green")
