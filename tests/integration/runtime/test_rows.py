"""Rows of a table as dataclasses: whatever goes in comes out the same."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from libs.common.contracts.vocabulary import UnitRef
from libs.common.messaging.transaction import Speaker
from libs.common.runtime.database import open_database
from libs.common.runtime.rows import Rows

NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)
TABLE = """
CREATE TABLE things (
    id uuid NOT NULL, "order" bigint NOT NULL, words text NOT NULL, small int, share float8, yes boolean,
    at timestamptz, raw bytea, light text NOT NULL, maybe text, tags jsonb NOT NULL, unit jsonb, steps jsonb NOT NULL,
    counts jsonb NOT NULL,
    PRIMARY KEY (id, "order")
);
CREATE TABLE marks (name text, of text, PRIMARY KEY (name, of));
"""


@dataclass(frozen=True, slots=True)
class Step:
    """A part of a thing."""

    at: datetime
    by: UUID | None
    light: Literal["green", "red"]


@dataclass(frozen=True, slots=True)
class Thing:
    """A row with a column of every kind."""

    id: UUID
    order: int
    words: str
    small: int | None
    share: float | None
    yes: bool | None
    at: datetime | None
    raw: bytes | None
    light: Literal["green", "yellow"]
    maybe: str | None
    tags: tuple[str, ...]
    unit: UnitRef | None
    steps: tuple[Step, ...]
    counts: dict[str, int]


@dataclass(frozen=True, slots=True)
class Mark:
    """A row that is all key."""

    name: str
    of: str


THINGS = Rows("things", Thing, key=("id", '"order"'))
MARKS = Rows("marks", Mark, key=("name", "of"))
text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
instants = st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 with a zone
things = st.builds(
    Thing,
    id=st.uuids(),
    order=st.integers(-(2**63), 2**63 - 1),
    words=text,
    small=st.none() | st.integers(-(2**31), 2**31 - 1),
    share=st.none() | st.floats(allow_nan=False),
    yes=st.none() | st.booleans(),
    at=st.none() | instants,
    raw=st.none() | st.binary(max_size=20),
    light=st.sampled_from(["green", "yellow"]),
    maybe=st.none() | text,
    tags=st.lists(text, max_size=4).map(tuple),
    unit=st.none() | st.builds(UnitRef, code=text, name=text),
    steps=st.lists(
        st.builds(Step, at=instants, by=st.none() | st.uuids(), light=st.sampled_from(["green", "red"])), max_size=3
    ).map(tuple),
    counts=st.dictionaries(text, st.integers(-(2**31), 2**31), max_size=3),
)
ONE = Thing(UUID(int=1), 1, "w", None, None, None, None, None, "green", None, (), None, (), {})


@pytest.fixture
async def pool(fresh_database: str) -> AsyncIterator[Any]:
    speaker = Speaker("tested", frozenset(), lambda: NOON, lambda: UUID(int=0))
    database = await open_database(fresh_database, speaker, 2)
    await database.pool.execute(TABLE)
    yield database.pool
    await database.close()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(rows=st.lists(things, max_size=6, unique_by=lambda thing: (thing.id, thing.order)))
async def test_whatever_goes_in_comes_out_the_same(pool: Any, rows: list[Thing]) -> None:
    await THINGS.save(pool, rows)
    ids = [thing.id for thing in rows]
    came = await THINGS.load(pool, "WHERE id = ANY($1)", ids)
    assert {(thing.id, thing.order): thing for thing in came} == {(thing.id, thing.order): thing for thing in rows}
    await pool.execute("TRUNCATE things")


async def test_a_row_whose_key_exists_is_replaced_and_the_others_stay(pool: Any) -> None:
    other = replace(ONE, order=2)
    changed = replace(ONE, words="changed", tags=("a", "b"), unit=UnitRef(code="c", name="n"), yes=True)
    await THINGS.save(pool, [ONE, other])
    await THINGS.save(pool, [changed])
    assert await THINGS.load(pool, 'ORDER BY "order"') == [changed, other]
    await THINGS.save(pool, [ONE])
    assert await THINGS.load(pool, 'ORDER BY "order"') == [ONE, other]


async def test_a_row_that_is_all_key_may_be_saved_again(pool: Any) -> None:
    for _ in range(2):
        await MARKS.save(pool, [Mark("a", "b"), Mark("a", "c")])
    assert await MARKS.load(pool, "WHERE name = $1 ORDER BY of", "a") == [Mark("a", "b"), Mark("a", "c")]


async def test_saving_nothing_is_fine_and_nothing_is_loaded_where_nothing_is(pool: Any) -> None:
    await THINGS.save(pool, [])
    assert await THINGS.load(pool) == []


async def test_a_word_outside_its_closed_list_does_not_become_a_row_of_ours(pool: Any) -> None:
    await THINGS.save(pool, [ONE])
    await pool.execute("UPDATE things SET light = 'purple'")
    with pytest.raises(ValueError, match="light"):
        await THINGS.load(pool)
