"""The rows of one table as frozen dataclasses: a column for each field, many rows in one statement."""

from collections.abc import Iterable, Sequence
from dataclasses import fields
from datetime import date, datetime
from types import UnionType
from typing import Any, Generic, Literal, TypeVar, Union, get_args, get_origin, get_type_hints
from uuid import UUID

from pydantic import TypeAdapter

T = TypeVar("T")
_SQL_TYPES = {
    str: "text", int: "bigint", float: "float8", bool: "boolean", datetime: "timestamptz", date: "date", UUID: "uuid",
    bytes: "bytea",
}  # fmt: skip


class Rows(Generic[T]):
    """Loads and saves dataclasses of `shape` in `table`, whose primary key is `key`.

    A field of another type than the plain ones (a tuple, a mapping, another dataclass) is kept as jsonb.
    """

    def __init__(self, table: str, shape: type[T], key: Sequence[str]) -> None:
        hints = get_type_hints(shape)
        self._names = [field.name for field in fields(shape)]  # type: ignore[arg-type]  # shape is a dataclass
        self._types = {name: _sql_type(hints[name]) for name in self._names}
        self._adapter = TypeAdapter(shape)
        columns = ", ".join(f'"{name}"' for name in self._names)
        # An array of json values would be taken for one of more dimensions, so they travel as text.
        arrays = ", ".join(f"${i}::{_travels_as(self._types[name])}[]" for i, name in enumerate(self._names, 1))
        values = ", ".join(f'"{name}"::{self._types[name]}' for name in self._names)
        updates = ", ".join(f'"{name}" = excluded."{name}"' for name in self._names if name not in key)
        self._select = f"SELECT {columns} FROM {table}"  # noqa: S608 names come from code
        self._upsert = (
            f"INSERT INTO {table} ({columns}) SELECT {values} FROM unnest({arrays}) AS t({columns}) "  # noqa: S608 the same
            f"ON CONFLICT ({', '.join(key)}) DO {f'UPDATE SET {updates}' if updates else 'NOTHING'}"
        )

    async def load(self, connection: Any, where: str = "", *arguments: object) -> list[T]:
        """Return the rows that `where` (SQL after the table's name, `$1`… for arguments) selects."""
        return [self.read(row) for row in await connection.fetch(f"{self._select} {where}", *arguments)]

    async def save(self, connection: Any, items: Iterable[T]) -> None:
        """Insert these rows, or replace those whose key exists. A key may not come twice."""
        rows = list(items)
        if rows:
            await connection.execute(self._upsert, *(self._column(name, rows) for name in self._names))

    def read(self, row: Any) -> T:
        """Return a fetched record as a dataclass."""
        return self._adapter.validate_python({name: row[name] for name in self._names})

    def _column(self, name: str, rows: Sequence[T]) -> list[Any]:
        values = [getattr(row, name) for row in rows]
        return [_PLAIN.dump_json(v).decode() for v in values] if self._types[name] == "jsonb" else values


_PLAIN: TypeAdapter[object] = TypeAdapter(object)


def _sql_type(hint: Any) -> str:
    if get_origin(hint) in {Union, UnionType}:
        hint = next(arg for arg in get_args(hint) if arg is not type(None))
    if get_origin(hint) is Literal:
        return "text"
    return _SQL_TYPES.get(hint, "jsonb")


def _travels_as(sql_type: str) -> str:
    return "text" if sql_type == "jsonb" else sql_type
