"""Versions of the rules of routing: which is in force from when on, and what tells two of them apart."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from difflib import SequenceMatcher

from libs.common.city.rules import Rule, RuleSet
from libs.common.city.versions import Activation, standing

_UNTOLD = ("id",)


@dataclass(frozen=True, slots=True)
class Change:
    """One thing in which a rule differs between two versions: it was added, removed or moved, or a key of it changed.

    `before` and `after` are what the key holds, or the rule that comes before it.
    """

    rule: str
    what: str
    before: str = ""
    after: str = ""


def versions_from(activations: Sequence[Activation], now: datetime) -> list[tuple[datetime, str]]:
    """Return which version is in force now and from which later times on others will be."""
    moments = [now, *sorted({one.from_at for one in activations if one.from_at > now and not one.cancelled_at})]
    stacks = [(moment, standing(activations, moment)) for moment in moments]
    return [(moment, stack[-1].version) for moment, stack in stacks if stack]


def changes(old: RuleSet, new: RuleSet) -> list[Change]:
    """Return in what rules differ from older ones, in the order of the new ones, what was removed last."""
    was = {rule.id: rule for rule in old.rules}
    kept = {rule.id for rule in new.rules}
    moved = _moved([rule.id for rule in old.rules if rule.id in kept], [r.id for r in new.rules if r.id in was])
    found: list[Change] = []
    for number, rule in enumerate(new.rules):
        behind = new.rules[number - 1].id if number else ""
        if rule.id not in was:
            found.append(Change(rule.id, "added", "", behind))
            continue
        if rule.id in moved:
            found.append(Change(rule.id, "moved", _behind(old, rule.id), behind))
        found += _changes(was[rule.id], rule)
    return found + [Change(rule.id, "removed", _behind(old, rule.id)) for rule in old.rules if rule.id not in kept]


def _moved(old: Sequence[str], new: Sequence[str]) -> set[str]:
    blocks = SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks()
    return set(new) - {rule for block in blocks for rule in new[block.b : block.b + block.size]}


def _behind(rules: RuleSet, rule: str) -> str:
    ids = [one.id for one in rules.rules]
    number = ids.index(rule)
    return ids[number - 1] if number else ""


def _changes(old: Rule, new: Rule) -> Iterator[Change]:
    for key in fields(Rule):
        is_, was = getattr(new, key.name), getattr(old, key.name)
        if key.name not in _UNTOLD and is_ != was:
            yield Change(new.id, "from" if key.name == "since" else key.name, _told(was), _told(is_))


def _told(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, tuple):
        return " | ".join(map(str, value))
    if hasattr(value, "zh"):
        return f"{value.zh} / {getattr(value, 'en', '')}"
    if hasattr(value, "of"):
        parts = (
            f"{name} {getattr(value, name)}" for name in ("of", "open", "days") if getattr(value, name) is not None
        )
        return ", ".join(parts)
    return str(value)
