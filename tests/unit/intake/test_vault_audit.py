"""The chain of the audit log shows every change, deletion, insertion and swap."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain import Audited, Deed, Head, chained, first_broken
from services.intake.domain.audit import GENESIS

KEY = b"k" * 32
NOW = datetime(2026, 3, 2, 4, 5, 6, 789, tzinfo=UTC)
DEEDS = st.builds(
    Deed,
    by=st.text(max_size=5),
    action=st.sampled_from(["contact", "export"]),
    ticket_id=st.none() | st.uuids(),
    purpose=st.none() | st.text(max_size=5),
    outcome=st.text(max_size=5),
    note=st.none() | st.text(max_size=5),
)
LOGS = st.lists(DEEDS, min_size=2, max_size=8).map(lambda deeds: chained(KEY, GENESIS, NOW, deeds))
LOG = chained(KEY, GENESIS, NOW, [Deed(f"client {n}", "contact", UUID(int=n), "handling") for n in range(6)])


def broken(entries: list[Audited], head: Head = GENESIS) -> int | None:
    """Return where a log is broken."""
    return first_broken(KEY, head, entries)


@given(LOGS)
def test_a_log_as_it_was_written_is_whole(log: list[Audited]) -> None:
    assert broken(log) is None
    assert [entry.seq for entry in log] == list(range(1, len(log) + 1))


@given(LOGS, st.data())
def test_a_part_of_a_log_is_whole_behind_the_entry_before_it(log: list[Audited], data: st.DataObject) -> None:
    at = data.draw(st.integers(min_value=1, max_value=len(log) - 1))
    assert broken(log[at:], log[at - 1].head) is None
    assert chained(KEY, log[-1].head, NOW, [Deed("a", "erase")])[0].seq == len(log) + 1


@given(LOGS, st.data())
def test_a_change_of_any_field_shows_at_its_entry(log: list[Audited], data: st.DataObject) -> None:
    at = data.draw(st.integers(min_value=0, max_value=len(log) - 1))
    change: dict[str, Any] = data.draw(
        st.sampled_from([
            {"by": log[at].by + "x"}, {"action": "file"}, {"ticket_id": UUID(int=7)}, {"purpose": "another"},
            {"outcome": log[at].outcome + "x"}, {"note": "another one"}, {"at": NOW + timedelta(microseconds=1)},
            {"seq": log[at].seq + 1}, {"seal": bytes(32)},
        ])
    )  # fmt: skip
    log[at] = replace(log[at], **change)
    assert broken(log) == at + 1


@given(LOGS, st.data())
def test_a_deletion_before_the_end_shows_where_it_was(log: list[Audited], data: st.DataObject) -> None:
    at = data.draw(st.integers(min_value=0, max_value=len(log) - 2))
    del log[at]
    assert broken(log) == at + 1


@given(LOGS, st.data())
def test_an_insertion_shows_where_it_is(log: list[Audited], data: st.DataObject) -> None:
    at = data.draw(st.integers(min_value=0, max_value=len(log)))
    log.insert(at, replace(log[at - 1], seq=at + 1))
    assert broken(log) == at + 1


def test_a_swap_shows_whether_or_not_the_numbers_are_swapped_too() -> None:
    swapped = [LOG[0], LOG[2], LOG[1], *LOG[3:]]
    renumbered = [replace(entry, seq=seq) for seq, entry in enumerate(swapped, 1)]
    assert (broken(swapped), broken(renumbered)) == (2, 2)


def test_who_does_not_hold_the_key_cannot_write_a_log_that_fits() -> None:
    forged = chained(b"x" * 32, GENESIS, NOW, [Deed("a", "contact")])
    assert broken(forged) == 1
    assert broken([*LOG, *chained(b"x" * 32, LOG[-1].head, NOW, [Deed("a", "contact")])]) == len(LOG) + 1


def test_a_seal_is_of_the_instant_and_not_of_the_time_zone_it_is_read_in() -> None:
    read = [replace(entry, at=entry.at.astimezone(timezone(timedelta(hours=8)))) for entry in LOG]
    assert broken(read) is None


def test_what_is_said_cannot_move_from_one_field_to_the_next() -> None:
    (one,) = chained(KEY, GENESIS, NOW, [Deed("a", "contact", None, "b", "c", "d")])
    moved = replace(one, purpose='b", "c', outcome="d", note=None)
    assert broken([moved]) == 1
