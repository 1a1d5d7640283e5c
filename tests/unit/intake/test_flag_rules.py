"""Flags as a table: whatever is commanded in whatever order, one verdict at a time, and none that nobody may make."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, get_args
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.city.pack import load_city
from libs.common.contracts.intake import TicketScreened
from libs.common.contracts.vocabulary import Attachment
from services.intake.domain import (
    BURST,
    TRANSITIONS,
    Flag,
    FlagState,
    NotPossibleError,
    added,
    appealed,
    noticed,
    ruled,
    standing,
)
from services.intake.domain.flags import IN_FORCE, REJECTED, RULINGS
from tests.support.screening import screened
from tests.support.stages import CITY, NOON

SCOPE = load_city(CITY).scope
WITHIN = timedelta(days=15)
TICKET = UUID(int=1)


def flag(number: int = 1, ground: str = "fabricated", **changes: Any) -> Flag:
    """Return a new flag."""
    values: dict[str, Any] = {"evidence": "e", "by": "seat", "at": NOON}
    return Flag(UUID(int=number), TICKET, ground, None if ground == BURST else "malicious", **(values | changes))


class History:
    """The flags of one ticket, as commands change them."""

    def __init__(self) -> None:
        self.flags: dict[UUID, Flag] = {}
        self.now = NOON

    def do(self, command: str, at: int, ground: str) -> None:
        """Give a command, which may not be possible; then nothing changes."""
        self.now += timedelta(days=at)
        flags = list(self.flags.values())
        try:
            if command == "flag":
                self._keep(added(flag(len(flags) + 1, ground, at=self.now), flags))
            elif command == "appeal":
                self._keep(appealed(flags, "text", WITHIN, self.now))
            elif flags:
                self._keep(ruled(flags[at % len(flags)], command == "uphold", "note", "boss", self.now))
        except NotPossibleError:
            assert list(self.flags.values()) == flags

    def _keep(self, changed: Flag) -> None:
        self.flags[changed.flag_id] = changed


COMMANDS = st.lists(
    st.tuples(
        st.sampled_from(["flag", "uphold", "dismiss", "appeal"]),
        st.integers(0, 20),
        st.sampled_from(["fabricated", "settled", "burst"]),
    ),
    max_size=30,
)


@given(COMMANDS)
def test_in_any_order_of_commands_there_is_one_verdict_at_a_time(commands: Sequence[tuple[str, int, str]]) -> None:
    history = History()
    for command in commands:
        before = {flag_id: one.state for flag_id, one in history.flags.items()}
        history.do(*command)
        flags = list(history.flags.values())
        assert sum(one.in_force for one in flags) <= 1
        assert sum(one.in_force or (one.state == "open" and one.verdict is not None) for one in flags) <= 1
        assert all(one.appeal is None for one in flags if one.verdict is None)
        steps = {(before.get(one.flag_id), one.state) for one in flags if before.get(one.flag_id) != one.state}
        assert steps <= {(step.source, step.to) for step in TRANSITIONS.values()}


@given(COMMANDS)
def test_what_was_rejected_on_one_ground_is_never_open_on_it_again(commands: Sequence[tuple[str, int, str]]) -> None:
    history = History()
    for command in commands:
        history.do(*command)
    rejected: set[str] = set()
    for one in history.flags.values():
        assert one.ground not in rejected or one.verdict is None
        if one.state in REJECTED and one.verdict:
            rejected.add(one.ground)


def test_every_state_is_reached_and_every_ruling_is_a_row_of_the_table() -> None:
    assert {step.to for step in TRANSITIONS.values()} == set(get_args(FlagState))
    for (source, upheld), command in RULINGS.items():
        assert TRANSITIONS[command].source == source
        assert (TRANSITIONS[command].to in IN_FORCE) == upheld


def test_a_citizen_appeals_until_the_last_moment_and_not_after_it() -> None:
    verdict = ruled(flag(), True, "n", "boss", NOON)
    assert verdict.appeal_until(WITHIN) == NOON + WITHIN
    assert standing([verdict]) == verdict
    assert appealed([verdict], "t", WITHIN, NOON + WITHIN - timedelta(seconds=1)).state == "appealed"
    with pytest.raises(NotPossibleError, match="the time to appeal the ruling is over"):
        appealed([verdict], "t", WITHIN, NOON + WITHIN)


def test_the_grounds_of_the_pack_are_verdicts_that_the_contract_knows() -> None:
    known = get_args(TicketScreened.model_fields["verdict"].annotation)
    assert {ground.verdict for ground in SCOPE.grounds} == set(known)


@pytest.mark.parametrize(
    ("text", "changes", "ground"),
    [
        ("。。。", {}, "blank"),
        ("？！……", {}, "blank"),
        ("😡😡😡", {}, "blank"),
        ("测试", {}, "test"),
        ("测试一下！！", {}, "test"),
        ("ＴＥＳＴ", {}, "test"),
        ("This is a test.", {}, "test"),
        ("测试路灯不亮", {}, None),
        ("路灯不亮", {}, None),
        ("13800138000", {}, None),
        ("。", {"title": "路灯不亮"}, None),
        ("。", {"title": "测试"}, "test"),
        ("。", {"attachments": (Attachment(file_id=TICKET, kind="picture", media_type="image/png", size=1),)}, None),
    ],
)
def test_an_appeal_that_says_nothing_is_noticed_and_one_that_says_something_is_not(
    text: str, changes: dict[str, Any], ground: str | None
) -> None:
    assert noticed(screened(text=text, **changes), SCOPE) == ground
