"""What a change of rules, or of whose duty a question is, would have moved of the tickets that were routed already."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal
from uuid import UUID

from libs.common.contracts.classify import OwnerKind
from services.dispatch.domain.orders import Matter
from services.dispatch.domain.routing import Decision

JobState = Literal["waiting", "done", "failed"]
EXAMPLES = 5
MOST_MOVES = 200


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose duty a question is in another catalogue."""

    owner_kind: OwnerKind
    owner: str | None = None
    co_handlers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Moves:
    """Tickets that would go from one unit to another: how many, which share of all, and the numbers of some."""

    before: str
    after: str
    tickets: int
    share: float
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """Of the tickets of one category or rule, how many would move."""

    name: str
    tickets: int
    moved: int


@dataclass(frozen=True, slots=True)
class Report:
    """What would move. `moves` holds the most frequent ways of `ways`; `by_rule` is of the new rules.

    `unmeasured` counts tickets that hang on what is not kept: how busy units were, so a rule by load does not apply,
    and the words that a model of the city's history read, so what it led it still leads.
    """

    tickets: int
    moved: int
    share: float
    ways: int
    moves: tuple[Moves, ...]
    by_category: tuple[Group, ...]
    by_rule: tuple[Group, ...]
    unmeasured: int = 0


@dataclass(frozen=True, slots=True)
class Backtest:
    """A question of what rules would have moved of the tickets routed from `from_at` to before `until_at`.

    `owners` maps the codes of another catalogue to whose duty they are; `read` counts the tickets looked at so far.
    """

    backtest_id: UUID
    version: str
    from_at: datetime
    until_at: datetime
    owners: Mapping[str, Owner]
    by: str
    state: JobState
    asked_at: datetime
    ended_at: datetime | None = None
    read: int = 0
    report: Report | None = None
    error: str | None = None


@dataclass(slots=True)
class Tally:
    """Counts tickets as they are routed again, and what would move of them."""

    tickets: int = 0
    unmeasured: int = 0
    ways: Counter[tuple[str, str]] = field(default_factory=Counter)
    examples: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    categories: Counter[tuple[str, bool]] = field(default_factory=Counter)
    rules: Counter[tuple[str, bool]] = field(default_factory=Counter)

    def add(self, decision: Decision, unit: str, rule: str, *, unmeasured: bool) -> None:
        """Count one ticket that `rule` would give to `unit`."""
        moved = unit != decision.unit
        self.tickets += 1
        self.unmeasured += unmeasured
        self.categories[decision.matter.category[0], moved] += 1
        self.rules[rule, moved] += 1
        if moved:
            way = (decision.unit, unit)
            self.ways[way] += 1
            some = self.examples.setdefault(way, [])
            if len(some) < EXAMPLES:
                some.append(decision.number)

    @property
    def report(self) -> Report:
        """What was counted so far."""
        moved = sum(self.ways.values())
        moves = [
            Moves(*way, count, self._share(count), tuple(self.examples[way]))
            for way, count in sorted(self.ways.items(), key=lambda one: (-one[1], one[0]))[:MOST_MOVES]
        ]
        return Report(
            self.tickets, moved, self._share(moved), len(self.ways), tuple(moves),
            tuple(_groups(self.categories)), tuple(_groups(self.rules)), self.unmeasured,
        )  # fmt: skip

    def _share(self, count: int) -> float:
        return round(count / self.tickets, 4) if self.tickets else 0.0


def _groups(counts: Counter[tuple[str, bool]]) -> Iterable[Group]:
    names = {name for name, _ in counts}
    groups = [Group(name, counts[name, True] + counts[name, False], counts[name, True]) for name in names]
    return sorted(groups, key=lambda group: (-group.moved, -group.tickets, group.name))


def under(matter: Matter, owners: Mapping[str, Owner]) -> Matter:
    """Return a matter as it would be were its question's duty that of `owners`, if they name it."""
    owner = owners.get(matter.code)
    if owner is None:
        return matter
    return replace(matter, owner_kind=owner.owner_kind, owner=owner.owner, co_handlers=owner.co_handlers)
