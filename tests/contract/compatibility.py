"""Whether a schema still keeps what an earlier one promised, to those who read and to those who wrote."""

from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]
WORDS_ONLY = {"title", "description", "$defs"}
"""What a schema says to people and not to programs."""


def broken_promises(frozen: Schema, current: Schema) -> list[str]:
    """Return where `current` differs from `frozen` in a way that a reader or a writer of either would notice.

    Allowed are new optional fields and other words of explanation. Every field stays, of the same type, required if it
    was and optional if it was: else an older reader misses it, or a newer one cannot read what was written before.
    """
    return list(_compare(_resolved(frozen, frozen), _resolved(current, current), "event"))


def _resolved(schema: Any, root: Schema) -> Any:
    """Put in place of every reference what it refers to."""
    if isinstance(schema, list):
        return [_resolved(part, root) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _resolved(root["$defs"][schema["$ref"].rsplit("/", 1)[-1]], root)
    return {key: _resolved(part, root) for key, part in schema.items() if key != "$defs"}


def _compare(frozen: Any, current: Any, path: str) -> Iterator[str]:
    if isinstance(frozen, dict) and isinstance(current, dict):
        yield from _compare_schemas(frozen, current, path)
    elif isinstance(frozen, list) and isinstance(current, list) and len(frozen) == len(current):
        for before, now in zip(frozen, current, strict=True):
            yield from _compare(before, now, path)
    elif frozen != current:
        yield f"{path}: was {frozen!r}, is {current!r}"


def _compare_schemas(frozen: Schema, current: Schema, path: str) -> Iterator[str]:
    # A field may well be called "title": only a schema's own words are left out, never a property's name.
    for key in sorted({*frozen, *current} - WORDS_ONLY - {"properties", "required"}):
        yield from _compare(frozen.get(key), current.get(key), f"{path}.{key}")
    yield from _compare_fields(frozen, current, path)


def _compare_fields(frozen: Schema, current: Schema, path: str) -> Iterator[str]:
    before, now = frozen.get("properties", {}), current.get("properties", {})
    must_before, must_now = set(frozen.get("required", ())), set(current.get("required", ()))
    for name in before.keys() - now.keys():
        yield f"{path}.{name}: is gone"
    for name in before.keys() & now.keys():
        if (name in must_before) != (name in must_now):
            yield f"{path}.{name}: is {'required' if name in must_now else 'optional'} now"
        yield from _compare_schemas(before[name], now[name], f"{path}.{name}")
    for name in must_now - before.keys():
        yield f"{path}.{name}: is new and required"
