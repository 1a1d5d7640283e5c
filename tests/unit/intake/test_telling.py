"""What citizens are told: where they can be written to, and when it is night."""

from datetime import datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.runtime.privacy.tokens import home_number
from services.intake.domain import AWAITED, KINDS, Telling, addresses, message_key, message_keys, reachable

BEIJING = ZoneInfo("Asia/Shanghai")
moments = st.timedeltas(timedelta(), timedelta(days=9000)).map(lambda past: datetime(2020, 1, 1, tzinfo=BEIJING) + past)
hours = st.times().map(lambda at: at.replace(microsecond=0))


def telling(quiet_from: time = time(22), quiet_until: time = time(8)) -> Telling:
    return Telling(frozenset(), quiet_from, quiet_until, BEIJING, frozenset({"sms"}))


def at(hour: int, minute: int = 0, day: int = 2) -> datetime:
    return datetime(2026, 3, day, hour, minute, tzinfo=BEIJING)


@pytest.mark.parametrize(
    ("now", "due"),
    [
        (at(12), at(12)),
        (at(21, 59), at(21, 59)),
        (at(22), at(8, day=3)),
        (at(3), at(8)),
        (at(7, 59), at(8)),
        (at(8), at(8)),
    ],
)
def test_at_night_a_message_waits_for_the_morning(now: datetime, due: datetime) -> None:
    assert telling().due("closed", now) == due


@given(moments, hours, hours, st.sampled_from(KINDS))
def test_no_message_is_sent_early_or_kept_for_longer_than_a_day_or_told_in_quiet_hours(
    now: datetime, quiet_from: time, quiet_until: time, kind: str
) -> None:
    rules = telling(quiet_from, quiet_until)
    due = rules.due(kind, now)  # type: ignore[arg-type]  # one of the kinds
    assert now <= due <= now + timedelta(days=1)
    if kind in AWAITED:
        assert due == now
    else:
        assert rules.due("closed", due) == due


@given(moments, st.sampled_from(KINDS))
def test_what_others_wait_for_is_told_by_day_whatever_it_is(now: datetime, kind: str) -> None:
    assert telling().by_day(now) == telling().due("closed", now) >= telling().due(kind, now)  # type: ignore[arg-type]


def test_news_of_another_ticket_never_has_a_key_of_ones_own() -> None:
    mine, lead, other = UUID(int=1), UUID(int=2), UUID(int=3)
    keys = [message_key(mine, kind, 1, of) for kind in KINDS for of in (None, lead, other)]
    assert len(set(keys)) == len(keys)
    assert set(message_keys(mine, 1)) & set(keys) == {message_key(mine, kind, 1) for kind in KINDS}


@pytest.mark.parametrize("kind", sorted(AWAITED))
def test_what_somebody_waits_for_is_told_at_night_too(kind: str) -> None:
    assert telling().due(kind, at(3)) == at(3)  # type: ignore[arg-type]  # one of the kinds


@pytest.mark.parametrize(
    ("phone", "sms"),
    [
        ("13800138000", "+8613800138000"),
        ("+86 138-0013-8000", "+8613800138000"),
        ("１３８００１３８０００", "+8613800138000"),
        ("+44 7700 900123", "+447700900123"),
        ("010-65123456", None),
        ("12345", None),
        ("+86 10 6512 3456", None),
        ("-----", None),
    ],
)
def test_a_short_message_goes_to_a_mobile_phone_only(phone: str, sms: str | None) -> None:
    assert addresses(phone, home_number(phone), None).get("sms") == sms


@pytest.mark.parametrize(
    ("email", "taken"),
    [
        ("wang@example.com", True),
        ("wang+12345@mail.example.com", True),
        ("a@b.example,c@d.example", False),
        ("a@b.example;c@d.example", False),
        ("a@b", False),
        ("<a@b.example>", False),
        ("a b@c.example", False),
    ],
)
def test_a_mail_goes_to_one_address_and_no_second(email: str, taken: bool) -> None:
    assert ("mail" in addresses(None, "", email)) is taken


def test_a_message_needs_one_way_that_has_a_gateway() -> None:
    assert reachable(("sms", "mail"), {"mail"})
    assert not reachable(["sms"], {"mail"})
    assert not reachable((), {"sms", "mail"})
