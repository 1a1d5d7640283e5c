"""When an article needs its owner, and when a citizen's review speaks against one."""

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.classify.domain import (
    Article,
    Complaint,
    Facts,
    NotPossibleError,
    ReadOut,
    Reviewed,
    due_now,
    grievance,
    next_reminder,
    remind,
    resolve,
)
from tests.support.stages import NOON

ARTICLE = Article(
    "a", 2, UUID(int=1), "甲", "文", "dept-housing", NOON, None, None, None, None, None, (), (), (), b"", "", b"", True,
    None, NOON, "test",
)  # fmt: skip
COMPLAINT = Complaint(UUID(int=2), "a", 1, None, "dept-housing", None, "wrong", None, "seat", NOON)
DAYS = st.integers(-100, 100).map(lambda days: NOON + timedelta(days=days))


@given(st.none() | DAYS, st.none() | DAYS, st.lists(DAYS, min_size=1, max_size=8))
def test_each_reason_is_told_once_however_often_the_timer_fires(
    review: datetime | None, expiry: datetime | None, looks: list[datetime]
) -> None:
    article = replace(ARTICLE, review_at=review, expires_at=expiry)
    told = []
    for now in sorted(looks):
        article, dues = remind(article, now)
        told += [due.why for due in dues]
        assert next_reminder(article) is None or next_reminder(article) > now  # type: ignore[operator]
    assert len(set(told)) == len(told)
    assert {due.why for due in due_now(article, max(looks))} <= set(told)


def test_what_expires_in_thirty_days_is_told_then_and_again_when_it_did() -> None:
    article = replace(ARTICLE, expires_at=NOON + timedelta(days=40))
    assert next_reminder(article) == NOON + timedelta(days=10)
    spans = [remind(article, NOON)[0]]
    whys = []
    for days in (10, 40, 41):
        after, dues = remind(spans[-1], NOON + timedelta(days=days))
        whys.append([due.why for due in dues])
        spans.append(after)
    assert whys == [["expiring"], ["expired"], []]
    assert all(before != after for before, after in pairwise(spans))


@pytest.mark.parametrize(
    ("resolved", "explained", "reason"),
    [("yes", None, None), ("yes", False, "unclear"), ("no", True, "not_answered"), ("no", False, "unclear")],
)
def test_a_review_speaks_against_the_article_that_was_read_out(
    resolved: str, explained: bool | None, reason: str | None
) -> None:
    reviewed = Reviewed(resolved, explained)  # type: ignore[arg-type]  # a row of the table
    assert grievance(Facts(read_out=ReadOut("a", "1"), reviewed=reviewed)) == reason
    assert grievance(Facts(reviewed=reviewed)) is None
    assert grievance(Facts(read_out=ReadOut("a", "1"))) is None


def test_a_complaint_is_settled_once_and_only_by_a_newer_version() -> None:
    settled = resolve(COMPLAINT, ARTICLE, "owner", None, 2, NOON)
    assert (settled.resolved_version, settled.resolved_at) == (2, NOON)
    with pytest.raises(NotPossibleError):
        resolve(settled, ARTICLE, "owner", "好了", None, NOON)
    for version in (1, 3):
        with pytest.raises(NotPossibleError):
            resolve(COMPLAINT, ARTICLE, "owner", None, version, NOON)
