"""Versions of the policies: which is in force since when, what was before it, what tells two of them apart."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from uuid import UUID

from libs.common.city.policies import PolicySet, iso


@dataclass(frozen=True, slots=True)
class PoliciesVersion:
    """Policies that were imported. `by` is None for the city pack's own; `rules` counts them."""

    version: str
    imported_at: datetime
    by: str | None
    note: str | None
    rules: int


@dataclass(frozen=True, slots=True)
class Activation:
    """From when on a version judges the clocks that begin. `by` is None where the city pack of a release set it.

    `back_to` names the activation that a roll-back went back to. One that is still to come can be cancelled.
    """

    activation_id: UUID
    from_at: datetime
    version: str
    by: str | None
    reason: str | None
    made_at: datetime
    back_to: UUID | None = None
    cancelled_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One thing in which a rule, a ground or a level differs between two versions."""

    what: str
    name: str
    key: str
    before: str = ""
    after: str = ""


def standing(activations: Iterable[Activation], now: datetime) -> tuple[Activation, ...]:
    """Return what stands at a time, the one in force last, and before it what a roll-back would go back to.

    `activations` come in the order in which they are due.
    """
    stack: list[Activation] = []
    for one in activations:
        if one.cancelled_at or one.from_at > now:
            continue
        if one.back_to is None:
            stack.append(one)
            continue
        while len(stack) > 1 and stack[-1].activation_id != one.back_to:
            stack.pop()
        # Whoever rolled back chose what stands now, be it the pack's own: a process that starts must not undo it.
        stack[-1:] = [replace(last, by=one.by) for last in stack[-1:]]
    return tuple(stack)


def before(stack: Sequence[Activation]) -> Activation | None:
    """Return what to roll back to, None if no other version was in force."""
    return next((one for one in reversed(stack[:-1]) if one.version != stack[-1].version), None)


def history(activations: Sequence[Activation]) -> list[tuple[datetime, str]]:
    """Return which version is in force from each time on, past and to come: a clock keeps that of its own start."""
    moments = sorted({one.from_at for one in activations if not one.cancelled_at})
    return [(moment, standing(activations, moment)[-1].version) for moment in moments]


def changes(old: PolicySet, new: PolicySet) -> list[Change]:
    """Return in what policies differ from older ones: rules in their order, then grounds, levels and reopenings."""
    parts = [(_parts(old), _parts(new))]
    return [change for was, is_ in parts for change in _differences(was, is_)]


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
