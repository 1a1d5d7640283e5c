"""Versions of the rules: which is in force when, what a roll-back goes back to, and what tells two of them apart."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from libs.common.city.rules import Busy, Rule, RuleSet
from libs.common.city.settings import Name
from libs.common.city.versions import Activation, before, standing
from services.dispatch.domain.rules import changes, versions_from
from tests.support.stages import NOON

WHY = Name("试", "Try")


def active(
    number: int, version: str, hours: int = 0, back_to: int | None = None, by: str | None = "某人"
) -> Activation:
    at = NOON + timedelta(hours=hours)
    return Activation(UUID(int=number), at, version, by, None, at, UUID(int=back_to) if back_to else None)


def rules(*ids: str, **changed: Rule) -> RuleSet:
    return RuleSet(tuple(changed.get(id_, Rule(id_, "owner", WHY)) for id_ in ids), "", "v")


def told(old: RuleSet, new: RuleSet) -> list[tuple[str, str, str, str]]:
    return [(one.rule, one.what, one.before, one.after) for one in changes(old, new)]


def test_two_roll_backs_go_back_twice_instead_of_to_and_fro() -> None:
    a, b, c = active(1, "a", by=None), active(2, "b", 1), active(3, "c", 2)
    stack = standing([a, b, c], c.from_at)
    assert (before(stack) or a).version == "b"
    back = active(4, "b", 3, back_to=2)
    stack = standing([a, b, c, back], back.from_at)
    assert [one.version for one in stack] == ["a", "b"]
    again = active(5, "a", 4, back_to=1)
    stack = standing([a, b, c, back, again], again.from_at)
    assert [(one.version, one.by) for one in stack] == [("a", "某人")]
    assert before(stack) is None


def test_what_is_in_force_and_what_will_be_is_known_ahead_without_what_was_cancelled() -> None:
    a, b, c = active(1, "a"), active(2, "b", 2), replace(active(3, "c", 3), cancelled_at=NOON)
    back = active(4, "a", 5, back_to=1)
    assert versions_from([a, b, c, back], NOON + timedelta(hours=1)) == [
        (NOON + timedelta(hours=1), "a"), (b.from_at, "b"), (back.from_at, "a"),
    ]  # fmt: skip
    assert versions_from([b], NOON) == [(b.from_at, "b")]


def test_a_difference_tells_what_moved_as_little_as_can_be() -> None:
    assert told(rules("a", "b", "c", "d"), rules("d", "a", "b", "c")) == [("d", "moved", "c", "")]
    assert told(rules("a", "b"), rules("a", "x", "b")) == [("x", "added", "", "a")]
    assert told(rules("a", "x", "b"), rules("a", "b")) == [("x", "removed", "a", "")]
    assert told(rules("a", "b"), rules("a", "b")) == []


def test_each_key_that_changed_is_told_as_a_person_reads_it() -> None:
    changed = Rule(
        "a", "street", Name("改", "Changed"), NOON.date(), category=("供热采暖", "heating-01"), outside=False,
        busy=Busy("owner", open=30),
    )  # fmt: skip
    assert told(rules("a"), rules("a", a=changed)) == [
        ("a", "lead", "owner", "street"),
        ("a", "why", "试 / Try", "改 / Changed"),
        ("a", "from", "", "2026-03-02"),
        ("a", "category", "", "供热采暖 | heating-01"),
        ("a", "outside", "", "False"),
        ("a", "busy", "", "of owner, open 30"),
    ]


@given(old=st.permutations("abcdef"), new=st.permutations("abcdefgh"), dropped=st.sets(st.sampled_from("abcdef")))
def test_what_is_added_and_removed_makes_the_one_list_of_the_other(
    old: list[str], new: list[str], dropped: set[str]
) -> None:
    kept = [id_ for id_ in new if id_ not in dropped]
    found = changes(rules(*old), rules(*kept))
    added, removed = ({one.rule for one in found if one.what == what} for what in ("added", "removed"))
    assert (set(old) - removed) | added == set(kept)
    still = [id_ for id_ in old if id_ in kept and id_ not in {one.rule for one in found if one.what == "moved"}]
    assert [id_ for id_ in kept if id_ in still] == still
