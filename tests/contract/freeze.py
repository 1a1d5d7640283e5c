"""Freezes what events look like: `python -m tests.contract.freeze` writes the schema and an example of each new one.

A frozen file is never written again. To change an event incompatibly, give it a new version beside the old one.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints
from uuid import UUID

from pydantic import BaseModel

from libs.common import contracts
from libs.common.contracts.envelope import Event, headers_of

SCHEMAS = Path(__file__).parent / "schemas"
EXAMPLES = Path(__file__).parent / "examples"
NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)
ID = UUID("019caa3c-2c00-7000-8000-000000000001")
PLAIN: dict[Any, Any] = {str: "文字", int: 3, float: 0.5, bool: True, datetime: NOON, UUID: ID}


def all_events() -> list[type[Event]]:
    """Return every event that a contract declares."""
    for module in iter_modules(contracts.__path__):
        import_module(f"{contracts.__name__}.{module.name}")
    return sorted(_below(Event), key=lambda event: event.type)


def _below(event: type[Event]) -> Iterator[type[Event]]:
    for kind in event.__subclasses__():
        if kind.__module__.startswith(contracts.__name__):
            yield kind
        yield from _below(kind)


def example(event: type[Event], *, full: bool = True) -> Event:
    """Return one event: with every field it can have, or with no more than it must."""
    made = _model(event, full)
    assert isinstance(made, event)
    return made


def _model(model: type[BaseModel], full: bool) -> BaseModel:
    hints = get_type_hints(model)
    wanted = [name for name, field in model.model_fields.items() if full or field.is_required()]
    return model(**{name: _value(hints[name], full) for name in wanted})


def _value(hint: Any, full: bool) -> Any:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in {Union, UnionType}:
        return _value(next(a for a in arguments if a is not type(None)), full)
    if origin is Literal:
        return arguments[0]
    if origin is tuple:
        return tuple(_value(a, full) for a in arguments if a is not ...)
    return PLAIN[hint] if hint in PLAIN else _model(hint, full)


def headers(event: type[Event]) -> list[tuple[str, bytes]]:
    """Return the headers of an example."""
    trace = f"00-{'a' * 32}-{'b' * 16}-01"
    return headers_of(event.type, event.emitter, ID, str(ID), NOON, 1001, trace)


def body(event: Event) -> bytes:
    """Return an event's body as a transaction writes it."""
    return event.model_dump_json(exclude_none=True).encode()


def message(event: type[Event]) -> dict[str, Any]:
    """Return an example as its file keeps it."""
    return {
        "headers": {name: value.decode() for name, value in headers(event)},
        "body": json.loads(body(example(event))),
    }


def write_missing() -> list[Path]:
    """Write the files that are missing and return them."""
    written = []
    for event in all_events():
        for folder, content in ((SCHEMAS, event.model_json_schema()), (EXAMPLES, message(event))):
            path = folder / f"{event.type}.json"
            if not path.exists():
                folder.mkdir(exist_ok=True)
                path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")
                written.append(path)
    return written


if __name__ == "__main__":
    print(*write_missing(), sep="\n")  # noqa: T201 what was written is what it is run for
