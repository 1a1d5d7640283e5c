"""What a service remembers of other services' events: per ticket the last of each kind, cut down to what it needs.

There is no order across topics, so a decision is a pure function of the facts present, whichever came first. Within a
kind, what carries a lower sequence than the one remembered is stale and dropped.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter

from libs.common.contracts.envelope import Envelope, Event
from libs.common.messaging.transaction import Aggregate, Tx

F = TypeVar("F")
Remember = Callable[[Any], object]
Field = str | Callable[[Any], str | None]


class Memory(Generic[F]):
    """The facts of one service. `shape` is a frozen dataclass whose fields, all optional, are the kinds of fact.

    `remember` maps an event to the field it fills, or a function that names it (None: nothing to remember), and the
    function that reduces it to that field's value. An event that fills several fields maps each to such a function.

    `may_keep` takes out of the facts what one of them forbids to keep, and returns them as they are if none does. It
    is asked whenever something was learned, so what is forbidden goes whichever came first.
    """

    def __init__(
        self,
        shape: type[F],
        remember: Mapping[type[Event], tuple[Field, Remember] | Mapping[str, Remember]],
        may_keep: Callable[[F], F] = lambda facts: facts,
    ) -> None:
        self._facts = TypeAdapter(shape)
        self._names = [field.name for field in fields(shape)]  # type: ignore[arg-type]  # shape is a dataclass
        self._remember = remember
        self._may_keep = may_keep

    @property
    def events(self) -> frozenset[type[Event]]:
        """Return the events there is something to remember of."""
        return frozenset(self._remember)

    def of(self, tx: Tx, subject: str) -> F:
        """Return the facts of a held aggregate."""
        return self.read(tx.aggregate(subject).facts)

    def read(self, facts: Mapping[str, Any]) -> F:
        """Return the facts in an aggregate's row."""
        return self._facts.validate_python({name: fact["is"] for name, fact in facts.items()})

    def learn(self, tx: Tx, events: Sequence[Envelope[Event]]) -> dict[str, F]:
        """Remember what events say. Returns the facts of each subject that learned something new."""
        fresh = [event.subject for event in events if self._learn(tx, event)]
        return {subject: self._kept(tx, subject) for subject in fresh}

    def _kept(self, tx: Tx, subject: str) -> F:
        """Return the facts of a subject that learned something, and let go of what may not be kept of them."""
        facts = self.of(tx, subject)
        kept = self._may_keep(facts)
        if kept is not facts:
            known = tx.aggregate(subject).facts
            for name in known.keys() & self._names:
                known[name]["is"] = _plain(getattr(kept, name))
        return kept

    def _learn(self, tx: Tx, event: Envelope[Event]) -> bool:
        aggregate = tx.aggregate(event.subject)
        kept = [_keep(aggregate, name, event, reduce) for name, reduce in self._fields(event.data)]
        return any(kept)

    def _fields(self, event: Event) -> Iterator[tuple[str, Remember]]:
        """Yield what an event fills, and how."""
        fields = self._remember[type(event)]
        if isinstance(fields, Mapping):
            yield from fields.items()
            return
        field, reduce = fields
        name = field if isinstance(field, str) else field(event)
        if name is not None:
            yield name, reduce


def _keep(aggregate: Aggregate, name: str, event: Envelope[Event], reduce: Remember) -> bool:
    """Fill a field unless what is there came later, and say whether that was done."""
    if aggregate.facts.get(name, {"seq": 0})["seq"] >= event.sequence:
        return False
    aggregate.facts[name] = {"seq": event.sequence, "is": _plain(reduce(event.data))}
    aggregate.changed = True
    return True


_PLAIN: TypeAdapter[object] = TypeAdapter(object)


def _plain(value: object) -> Any:
    return _PLAIN.dump_python(value, mode="json")
