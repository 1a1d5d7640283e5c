"""Changes of the rules of routing that rulings propose: what was sent from one unit to another again and again."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from libs.common.city.rules import RuleSet, header_of
from services.dispatch.domain.rules import changes

ProposalState = Literal["adopted", "dismissed"]
MOST_CODES = 8
"""So many questions are named one by one; of more, what is above them is."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """Rulings alike: orders of one kind of matter that `rule` sent to `from_code` and rulings sent to `to_code`.

    `category` has two levels, `codes` are the questions, `numbers` the tickets, the last one first. `districts` and
    `streets` are where it happened; an empty text stands for where nobody knew.
    """

    proposal_id: str
    rule: str
    from_code: str
    from_name: str
    to_code: str
    to_name: str
    category: tuple[str, str]
    codes: tuple[str, ...]
    districts: tuple[str, ...]
    streets: tuple[str, ...]
    tickets: int
    numbers: tuple[str, ...]
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Answer:
    """What a supervisor did with a proposal: `version` are the rules it became when it was adopted."""

    proposal_id: str
    at: datetime
    state: ProposalState
    by: str
    note: str | None = None
    version: str | None = None


def conditions(proposal: Proposal) -> dict[str, Sequence[str]]:
    """Return what a rule asks that takes what was ruled on and no more: the questions, and the place if it is one."""
    codes, (level1, level2) = proposal.codes, proposal.category
    wanted: dict[str, Sequence[str]] = {"category": codes if len(codes) <= MOST_CODES else [f"{level1}/{level2}"]}
    for name, values in (("street", proposal.streets), ("district", proposal.districts)):
        if len(values) == 1 and values[0]:
            return wanted | {name: values}
    return wanted


def proposed_rule(proposal: Proposal, taken: Collection[str], why: tuple[str, str]) -> str:
    """Return the rule as routing.toml has it, under a name that is not `taken`; `why` it leads is in two languages.

    Texts are quoted as JSON, which TOML reads the same.
    """
    stem = f"ruled_{proposal.proposal_id[:8]}"
    names = [stem, *(f"{stem}_{number}" for number in range(2, len(taken) + 3))]
    name = next(name for name in names if name not in taken)
    lines = ["[[rule]]", f'id = "{name}"']
    lines += [f"{key} = {json.dumps(list(v), ensure_ascii=False)}" for key, v in conditions(proposal).items()]
    lines += [f'lead = "{proposal.to_code}"']
    lines += [
        f"why.{key} = {json.dumps(text, ensure_ascii=False)}" for key, text in zip(("zh", "en"), why, strict=True)
    ]
    return "\n".join(lines) + "\n"


def only_adds(old: RuleSet, new: RuleSet) -> bool:
    """Say whether rules are older ones with more between them, and nothing else."""
    return all(change.what == "added" for change in changes(old, new))


def with_rule(rules: RuleSet, before: str, rule: str) -> str:
    """Return the text of rules with one more, before the one it puts right, or first if that is gone."""
    numbers = {one.id: number for number, one in enumerate(rules.rules)}
    lines = rules.text.splitlines(keepends=True)
    place = header_of(rules.text, numbers.get(before, 0))
    return "".join([*lines[:place], rule, "\n", *lines[place:]])
