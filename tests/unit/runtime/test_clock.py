"""The one clock, and the ids it makes."""

import time
from datetime import UTC, datetime, timedelta
from uuid import RFC_4122, UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.messaging.ids import first_id
from libs.common.runtime.clock import Clock, born

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
# Whole milliseconds as well, where a fraction that is rounded would show.
instants = st.builds(
    lambda milliseconds, microseconds: NEW_YEAR + timedelta(milliseconds=milliseconds, microseconds=microseconds),
    st.integers(-(10**12), 10**12),
    st.integers(0, 999),
)


class Stopped(Clock):
    """A clock that stands at one instant."""

    def __init__(self, at: datetime) -> None:
        super().__init__()
        self._at = at

    def now(self) -> datetime:
        return self._at


def _real(monkeypatch: pytest.MonkeyPatch, at: datetime) -> None:
    monkeypatch.setattr(time, "time", at.timestamp)


def test_no_text_is_real_time(monkeypatch: pytest.MonkeyPatch) -> None:
    _real(monkeypatch, NEW_YEAR)
    assert Clock.parse("").now() == NEW_YEAR


def test_it_starts_where_it_is_told_and_runs_at_its_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    _real(monkeypatch, NEW_YEAR)
    clock = Clock.parse("2026-03-02T00:00:00+08:00,60")
    _real(monkeypatch, NEW_YEAR + timedelta(seconds=10))
    assert clock.now() == datetime(2026, 3, 1, 16, 10, tzinfo=UTC)
    assert clock.real_seconds(timedelta(minutes=10)) == 10


def test_processes_given_the_same_epoch_show_the_same_time_whenever_they_start(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "2026-03-02T00:00:00Z,0.5,2026-01-01T00:00:00Z"
    _real(monkeypatch, NEW_YEAR + timedelta(hours=1))
    early = Clock.parse(text)
    _real(monkeypatch, NEW_YEAR + timedelta(hours=2))
    late = Clock.parse(text)
    assert early.now() == late.now() == datetime(2026, 3, 2, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-02T00:00:00Z",
        "2026-03-02T00:00:00,60",
        "yesterday,60",
        "2026-03-02T00:00:00Z,fast",
        "2026-03-02T00:00:00Z,0",
        "2026-03-02T00:00:00Z,-1",
        "2026-03-02T00:00:00Z,nan",
        "2026-03-02T00:00:00Z,inf",
        "2026-03-02T00:00:00Z,60,later",
        "2026-03-02T00:00:00Z,60,2026-01-01T00:00:00Z,2026-01-01T00:00:00Z",
    ],
)
def test_another_text_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match=r"JIESU_CLOCK is start,rate\[,epoch\], e\.g\. 2026-01-01T00:00:00\+08:00,60"):
        Clock.parse(text)


async def test_sleeping_for_no_time_or_less_returns() -> None:
    await Clock().sleep(timedelta(seconds=-1))


@given(instants)
def test_an_id_is_a_uuidv7_that_knows_its_millisecond(at: datetime) -> None:
    id_ = Stopped(at).new_id()
    assert (id_.version, id_.variant) == (7, RFC_4122)
    assert born(id_) == at.replace(microsecond=at.microsecond // 1000 * 1000)


@given(st.lists(instants, min_size=2, max_size=20))
def test_ids_of_later_milliseconds_are_greater(moments: list[datetime]) -> None:
    ids = [Stopped(at).new_id() for at in sorted(moments)]
    milliseconds = [id_.int >> 80 for id_ in ids]
    assert milliseconds == sorted(milliseconds)
    assert [born(id_) for id_ in sorted(ids)] == sorted(map(born, ids))


@given(st.integers(0, 10**12), st.integers(0, 10**12))
def test_the_first_id_of_a_moment_parts_what_was_made_before_it_from_what_comes_after(at: int, made: int) -> None:
    moment, made_at = (NEW_YEAR + timedelta(milliseconds=span) for span in (at, made))
    assert (Stopped(made_at).new_id() >= first_id(moment)) is (made_at >= moment)


def test_no_id_is_below_the_first_of_a_moment_before_all_ids() -> None:
    assert first_id(datetime(1900, 1, 1, tzinfo=UTC)) == UUID(int=0)


def test_ids_of_one_millisecond_differ() -> None:
    clock = Stopped(NEW_YEAR)
    assert len({clock.new_id() for _ in range(1000)}) == 1000


@pytest.mark.parametrize("other", [uuid4(), UUID(int=0)])
def test_an_id_of_another_kind_was_not_born(other: UUID) -> None:
    with pytest.raises(ValueError, match="not a UUIDv7"):
        born(other)
