"""The vault: its masters, its audit log, and what one person may ask of us."""

import json
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from libs.common.runtime.privacy import Secrets
from libs.common.runtime.settings import read_settings
from services.cli.client import KeyFile, Url, ask
from services.cli.screen import out, say, table

app = typer.Typer(
    help="Rotate the vault's masters, check its audit log, answer a person's request.", no_args_is_help=True
)
Tickets = Annotated[
    list[str] | None, typer.Option("--ticket", help="number=code, repeatable; without any, a phone is asked for.")
]
Purpose = Annotated[str, typer.Option(help="person_request or legal.")]
Remark = Annotated[str, typer.Option("--note", help="What to keep of it in the audit log.")]


SETTLE_SECONDS = 60
"""A process takes up to 10 s to see a rotation, and until then seals by the old master."""


class VaultCommandError(RuntimeError):
    """What was asked of the vault cannot be done; the text says why."""


@app.command()
def rotate(
    prepare: Annotated[
        bool, typer.Option("--prepare", help="Only add the master: it seals after the next rotation.")
    ] = False,
) -> None:
    """Add a master to the secret file and seal by it. What older ones seal is wrapped anew in the background.

    Where processes do not read the same file, prepare first, bring the file to all of them, and rotate then.
    """
    file = read_settings().secret_file
    changed = Secrets.change(file, Secrets.prepare if prepare else Secrets.rotate)
    say(f"Master {changed.prepared} opens." if prepare else f"Master {changed.current} seals.", "bold green")
    say(f"Copy {file} now to where its copy is kept: what the new master seals, no older copy opens.")


@app.command()
def masters(url: Url = "", key: KeyFile = "") -> None:
    """Show the masters of the secret file, how many keys each of them wraps, and how far the sweeps have come."""
    secrets = Secrets.load(read_settings().secret_file)
    seen = ask(url, key, "GET", "/intake/v1/vault/keys")
    rows = [(number, _role(secrets, number), seen["wraps"].get(str(number), 0)) for number, _ in secrets.masters]
    table("Masters", ("number", "does", "wraps"), rows)
    done = [(s["name"], s["done"], s["total"] or "", s["finished_at"] or "under way") for s in seen["sweeps"]]
    table("Sweeps", ("name", "done", "of", "finished"), done)


def _role(secrets: Secrets, number: int) -> str:
    if number == secrets.current:
        return "seals"
    return "is prepared" if number == secrets.prepared else "opens"


@app.command()
def retire(
    number: Annotated[int, typer.Argument(help="The master to take out of the file.")], url: Url = "", key: KeyFile = ""
) -> None:
    """Take a master out of the secret file, if nothing is sealed by it any more."""
    file = read_settings().secret_file
    if time.time() - file.stat().st_mtime < SETTLE_SECONDS:
        raise VaultCommandError(f"{file} was changed just now; in a minute every process knows it, then try again")
    seen = ask(url, key, "GET", "/intake/v1/vault/keys")
    if left := seen["wraps"].get(str(number), 0):
        raise VaultCommandError(f"master {number} still wraps {left} keys; `vault masters` shows how far the sweep is")
    if seen["current"] == number:
        raise VaultCommandError(f"the platform still seals by master {number}; it takes up a rotation within 10 s")
    Secrets.change(file, lambda secrets: secrets.retire(number))
    say(f"Master {number} is gone.", "bold green")


@app.command("verify-audit")
def verify_audit(
    head: Annotated[str, typer.Option(help="A head that was published, as number:seal: is it still there?")] = "",
    url: Url = "",
    key: KeyFile = "",
) -> None:
    """Check the whole audit log, and print its head. Exits with 2 if an entry is missing or was changed."""
    if head:
        _check_head(head, url, key)
    after, entries = None, 0
    while True:
        query = "" if after is None else f"?after={after}"
        checked = ask(url, key, "GET", f"/intake/v1/audit/verify{query}")
        entries += checked["upto"] - checked["after"]
        if not checked["intact"]:
            raise VaultCommandError(f"the audit log is broken at entry {checked['broken_at']}")
        if checked["whole"]:
            break
        after = checked["upto"]
    say(f"The audit log is whole: {entries} entries.", "bold green")
    say(f"Head {checked['upto']}:{checked['upto_seal']}")


def _check_head(head: str, url: str, key: str) -> None:
    number, _, seal = head.partition(":")
    if not number.isdecimal():
        raise VaultCommandError("--head is number:seal, as the log line `audit head` has them")
    checked = ask(url, key, "GET", f"/intake/v1/audit/verify?after={number}")
    if (checked["after"], checked["after_seal"]) != (int(number), seal.strip().lower()):
        raise VaultCommandError(f"entry {number} is not there as it was published: it was changed, cut off or pruned")


@app.command()
def export(
    ticket: Tickets = None,
    purpose: Purpose = "person_request",
    note: Remark = "",
    to: Annotated[Path | None, typer.Option("--out", help="A file that only its owner can read.")] = None,
    url: Url = "",
    key: KeyFile = "",
) -> None:
    """Write down all that is kept of one person, whose identity you made sure of, as JSON."""
    copied = ask(url, key, "POST", "/intake/v1/persons/export", json=_person(ticket, purpose, note))
    text = json.dumps(copied, ensure_ascii=False, indent=1)
    if to is None:
        out.print(text, markup=False, soft_wrap=True)
        return
    with os.fdopen(os.open(to, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text + "\n")
    say(f"{len(copied['tickets'])} tickets are in {to}.")


@app.command()
def erase(
    ticket: Tickets = None,
    purpose: Purpose = "person_request",
    note: Remark = "",
    withdraw: Annotated[bool, typer.Option("--withdraw", help="Take back first what still goes on.")] = False,
    url: Url = "",
    key: KeyFile = "",
) -> None:
    """Delete one person's data for good, where the law lets it go, and say what stays, and why."""
    asked = {**_person(ticket, purpose, note), "withdraw": withdraw}
    erased = ask(url, key, "POST", "/intake/v1/persons/erase", json=asked)
    rows = [(told["ticket_id"], told["stays"] or "deleted") for told in erased["tickets"]]
    table("What became of it", ("ticket", "result"), rows)


def _person(tickets: Sequence[str] | None, purpose: str, note: str) -> dict[str, Any]:
    """Return whose data it is. A phone is asked for, so that it stands in no history of commands."""
    body: dict[str, Any] = {"purpose": purpose, **({"note": note} if note else {})}
    if tickets:
        pairs = [ticket.partition("=") for ticket in tickets]
        return {**body, "tickets": [{"number": number, "code": code} for number, _, code in pairs]}
    return {**body, "phone": typer.prompt("Phone")}
