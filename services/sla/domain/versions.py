"""Versions of the policies: which is in force since when, and what tells two of them apart."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta

from libs.common.city.policies import PolicySet, iso
from libs.common.city.versions import Activation, standing


@dataclass(frozen=True, slots=True)
class Change:
    """One thing in which a rule, a ground or a level differs between two versions."""

    what: str
    name: str
    key: str
    before: str = ""
    after: str = ""


def history(activations: Sequence[Activation]) -> list[tuple[datetime, str]]:
    """Return which version is in force from each time on, past and to come: a clock keeps that of its own start."""
    moments = sorted({one.from_at for one in activations if not one.cancelled_at})
    return [(moment, standing(activations, moment)[-1].version) for moment in moments]


def changes(old: PolicySet, new: PolicySet) -> list[Change]:
    """Return in what policies differ from older ones: rules in their order, then grounds, levels and reopenings."""
    return list(_differences(_parts(old), _parts(new)))


def _parts(policies: PolicySet) -> dict[tuple[str, str], dict[str, str]]:
    found: dict[tuple[str, str], dict[str, str]] = {}
    for number, rule in enumerate(policies.rules):
        behind = policies.rules[number - 1].id if number else ""
        found["rule", rule.id] = {**_told(rule), "behind": behind}
    found |= {("pause", code): _told(ground) for code, ground in policies.grounds.items()}
    found |= {("extension", level): _told(one) for level, one in policies.extensions.items()}
    return found | {("reopening", ""): _told(policies.reopening)}


def _differences(
    old: dict[tuple[str, str], dict[str, str]], new: dict[tuple[str, str], dict[str, str]]
) -> Iterator[Change]:
    for name in dict.fromkeys((*new, *old)):
        if name not in old:
            yield Change(*name, "added", "", _line(new[name]))
        elif name not in new:
            yield Change(*name, "removed", _line(old[name]), "")
        else:
            yield from (
                Change(*name, key, old[name][key], new[name][key])
                for key in new[name]
                if old[name][key] != new[name][key]
            )


def _line(keys: dict[str, str]) -> str:
    return ", ".join(f"{key} {value}" for key, value in keys.items() if value)


def _told(part: object) -> dict[str, str]:
    return {key.name: _word(getattr(part, key.name)) for key in fields(part)}  # type: ignore[arg-type]  # a dataclass


def _word(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, tuple):
        return " | ".join(map(str, value))
    if isinstance(value, timedelta):
        return iso(value)
    if hasattr(value, "zh"):
        return f"{value.zh} / {getattr(value, 'en', '')}"
    return str(value)
