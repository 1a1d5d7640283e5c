"""Returns: what bars them, what a ruling binds, whom they count against, and that units alone move nothing."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.common.contracts.dispatch import (
    ReturnGround,
    TicketDispatched,
    TicketReassigned,
    TicketReturned,
    TicketRuled,
)
from libs.common.contracts.envelope import Event
from services.dispatch.domain import (
    EvidenceError,
    NotPossibleError,
    ReturnBarredError,
    Verdict,
    contact,
    lapse,
    progress,
    reassign,
    resolve,
)
from services.dispatch.domain.returning import Claim, hand_back
from services.dispatch.routing import Router
from tests.support.lives import (
    CLOCK,
    LINKED,
    RECEIVED,
    REOPENED,
    STREET,
    WATER,
    WITHDRAWN,
    WORDLESS,
    Life,
    closed,
    sign,
)
from tests.support.stages import NOON

GROUNDS: tuple[ReturnGround, ...] = get_args(ReturnGround)
UNITS = ("co-water", "dept-water", "d-110105", "s-110105026")


@pytest.fixture
def life(router: Router) -> Life:
    return Life(router).hear(RECEIVED, WATER)


def bar(life: Life, ground: ReturnGround = "not_our_duty", at: datetime = NOON) -> str | None:
    try:
        life.back(ground, at)
    except ReturnBarredError as error:
        return error.bar
    return None


def test_a_return_waits_for_its_ruling_as_long_as_its_class_allows(life: Life) -> None:
    assert life.back().returns[0].due_at == NOON + timedelta(hours=4)
    urgent = Life(life.router).hear(RECEIVED, WATER.model_copy(update={"urgency": "urgent"})).back()
    assert urgent.returns[0].due_at == NOON + timedelta(minutes=30)
    (told,) = [event for event in life.said if isinstance(event, TicketReturned)]
    assert (told.due_at, told.return_id, told.centre) == (life.returns[0].due_at, life.returns[0].return_id, False)


@pytest.mark.parametrize(
    ("ground", "hours", "barred"),
    [
        ("not_our_duty", 4, None),
        ("not_our_duty", 4.01, "late"),
        ("not_our_area", 12, None),
        ("not_our_area", 13, "late"),
    ],
)
def test_the_time_to_return_runs_from_the_hand_over(
    life: Life, ground: ReturnGround, hours: float, barred: str | None
) -> None:
    assert bar(life, ground, NOON + timedelta(hours=hours)) == barred


def test_a_new_lead_has_its_own_time_and_one_that_was_refused_does_not_get_it_twice(life: Life) -> None:
    later = NOON + timedelta(hours=3)
    life.back(at=later).rules(at=NOON + timedelta(hours=5))
    assert bar(life, "unclear", NOON + timedelta(hours=5)) == "late"
    other = Life(life.router).hear(RECEIVED, WATER).back(at=later).rules("dept-water", at=NOON + timedelta(hours=5))
    assert bar(other, at=NOON + timedelta(hours=8)) is None


def test_who_signed_and_reached_the_citizen_may_return_only_what_shows_on_the_spot_in_later_rounds_too(
    life: Life,
) -> None:
    life.do(sign).do(lambda order: contact(order, "phone", None, NOON, reached=False))
    assert bar(replaced(life)) is None
    life.do(lambda order: contact(order, "phone", None, NOON))
    assert bar(life) == "bound"
    life.do(lambda order: resolve(order, "修好了", NOON)).hear(closed(1), REOPENED)
    assert bar(life) == "bound"
    assert bar(life, "not_our_area") is None
    assert life.returns[0].needs_look


def replaced(life: Life) -> Life:
    """Return the same life, to try something on."""
    other = Life(life.router)
    other.order, other.tx = life.order, life.tx
    return other


def test_a_contact_binds_who_made_it_and_not_the_next_lead(life: Life) -> None:
    life.do(sign).do(lambda order: contact(order, "phone", None, NOON))
    to = life.router.chosen("dept-water", "reassigned", "改派", life.matter)
    assert to
    life.do(lambda order: reassign(order, to, NOON)).do(sign)
    assert bar(life) is None


def test_an_order_at_the_centre_s_desk_is_reassigned_and_not_returned(life: Life) -> None:
    life.order = replace(life.now, desk=True)
    assert bar(life) == "desk"


def test_a_ground_that_the_city_does_not_list_is_none(life: Life) -> None:
    city = life.router.city.returns
    terms = replace(city, grounds=tuple(ground for ground in city.grounds if ground.code != "unclear"))
    with pytest.raises(ReturnBarredError, match="unlisted"):
        hand_back(life.now, Claim("unclear", "没有说明具体地点"), (), terms, 2, CLOCK.new_id(), None, NOON)


@pytest.mark.parametrize(
    ("note", "files", "lacks"), [("不归", 9, "note"), ("不归我们管，权责清单另有规定", 1, "files")]
)
def test_a_ground_is_proved_by_words_and_files(life: Life, note: str, files: int, lacks: str) -> None:
    city = life.router.city.returns
    terms = replace(city, grounds=tuple(replace(ground, files=2) for ground in city.grounds))
    with pytest.raises(EvidenceError) as error:
        hand_back(life.now, Claim("unclear", note, files), (), terms, 2, CLOCK.new_id(), None, NOON)
    assert error.value.field == lacks


def test_two_units_quarrel_and_the_third_round_is_none(life: Life) -> None:
    life.back().rules("dept-water")
    assert life.now.unit_code == "dept-water"
    life.back("not_our_duty")
    assert life.returns[1].centre
    life.rules("co-water")
    assert (life.now.unit_code, life.returns[1].final) == ("co-water", True)
    assert [(one.state, one.against) for one in life.returns] == [("overturned", "unit"), ("upheld", "person")]
    (_, final) = [event for event in life.said if isinstance(event, TicketRuled)]
    assert final.overturns == (life.returns[0].return_id,)
    assert {bar(life, ground) for ground in GROUNDS} == {"final"}


def test_only_a_final_ruling_sends_an_order_back_to_where_a_return_was_upheld(life: Life) -> None:
    life.back().rules("dept-water").back()
    life.returns[-1] = replace(life.returns[-1], centre=False)
    with pytest.raises(NotPossibleError, match="ruled already"):
        life.rules("co-water")


@pytest.mark.parametrize(
    ("rule", "right_code", "against"),
    [
        ("duty", None, "routing"), ("duty", "water-01-01", "routing"), ("duty", "heating-01-01", "model"),
        ("learned", None, "model"), ("reassigned", None, "person"), ("ruled", None, "person"),
        ("handover", None, "person"), ("self", None, "unit"),
    ],
)  # fmt: skip
def test_an_upheld_return_counts_against_what_had_sent_the_order_there(
    life: Life, rule: str, right_code: str | None, against: str
) -> None:
    life.order = replace(life.now, rule=rule)
    life.back().rules("dept-water", right_code=right_code)
    (ruled,) = [event for event in life.said if isinstance(event, TicketRuled)]
    assert (ruled.against, ruled.against_rule, life.returns[0].against) == (against, rule, against)


@pytest.mark.parametrize(("rule", "against"), [("duty", "routing"), ("reassigned", "person"), ("learned", "model")])
def test_in_a_later_round_it_still_counts_against_what_had_named_the_lead(life: Life, rule: str, against: str) -> None:
    life.do(sign).do(lambda order: resolve(replace(order, rule=rule), "修好了", NOON)).hear(closed(1), REOPENED)
    assert "首接负责" in life.now.why[0]
    life.back().rules("dept-water")
    assert (life.returns[0].rule, life.returns[0].against) == (rule, against)


def test_a_refused_return_counts_against_who_pushed_it_back(life: Life) -> None:
    life.back().rules()
    assert (life.returns[0].against, life.returns[0].to_code) == ("unit", "co-water")


def test_what_nobody_ruled_on_in_time_stays_where_it_is_for_the_centre(life: Life) -> None:
    late, said = lapse(life.back().now, life.returns[0], NOON + timedelta(hours=4))
    assert (late.for_centre, late.final, life.now.unit_code) == (True, False, "co-water")
    assert [event.name for event in said] == ["ticket.escalated"]


def test_an_order_that_goes_its_way_again_after_a_link_may_be_returned_again(life: Life) -> None:
    life.back().hear(LINKED)
    assert (life.returns[0].state, life.now.state) == ("void", "recalled")
    life.hear(RECEIVED)
    assert (bar(life), life.returns[1].turn, life.returns[1].centre) == (None, 2, True)


ACTS = st.sampled_from(["accept", "contact", "progress", "return", "resolve", "link", "unlink", "reopen", "judge"])
HANDS = st.sampled_from(["refuse", "uphold", "reassign"])


class Quarrel:
    """A slow and obvious account of a quarrel beside the real one: who leads, and what was said and ruled."""

    def __init__(self, router: Router) -> None:
        self.life = Life(router).hear(RECEIVED, WATER)
        self.now = NOON
        self.refused: set[tuple[str, str]] = set()
        self.ruled = 0
        self.centre_ruled = False
        self.round = 1

    def step(self, act: str, unit: str, ground: ReturnGround, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)
        lead, before, settled = self.life.now.unit_code, self.life.now.state, self.life.now.settled
        try:
            self._do(act, unit, ground)
        except NotPossibleError:
            assert (self.life.now.unit_code, self.life.now.state) == (lead, before)
        moved = self.life.now.unit_code != lead
        # What nobody signed for, chose or ruled on follows the judgement: at once, or when it is handed out anew.
        assert not moved or act in {"uphold", "reassign"} or (act in {"judge", "unlink", "reopen"} and not settled)

    def _do(self, act: str, unit: str, ground: ReturnGround) -> None:
        life, now = self.life, self.now
        if act == "return":
            asked = (life.now.unit_code, ground)
            life.back(ground, now)
            assert asked not in self.refused, "the same unit, the same ground, refused before"
            assert not self.centre_ruled, "the centre had ruled for good"
            assert life.returns[-1].centre == (len(life.returns) >= 2)
        elif act in {"refuse", "uphold"}:
            self._rule(act, unit)
        elif act == "reassign":
            to = life.router.chosen(unit, "reassigned", "改派", life.matter)
            assert to
            life.do(lambda order: reassign(order, to, now))
        elif act in {"link", "unlink", "reopen", "judge"}:
            self._hear(act)
        else:
            self._work(act)

    def _rule(self, act: str, unit: str) -> None:
        pending = self.life.returns[-1:]
        if not pending or pending[0].state != "open":
            raise NotPossibleError("nothing is open")
        self.life.rules(unit if act == "uphold" else None, self.now)
        self.ruled += 1
        self.centre_ruled |= pending[0].centre
        if act == "refuse":
            self.refused.add((pending[0].unit_code, pending[0].ground))

    def _hear(self, act: str) -> None:
        if act == "reopen":
            self.round += 1
            self.life.hear(REOPENED.model_copy(update={"round": self.round}))
        else:
            said: dict[str, Event] = {"link": LINKED, "unlink": RECEIVED, "judge": STREET}
            self.life.hear(said[act])

    def _work(self, act: str) -> None:
        now = self.now
        works = {
            "accept": sign,
            "contact": lambda order: contact(order, "phone", None, now),
            "progress": lambda order: progress(order, "在修", now),
            "resolve": lambda order: resolve(order, "修好了", now),
        }
        self.life.do(works[act])


STEPS = st.lists(
    st.tuples(st.one_of(ACTS, HANDS), st.sampled_from(UNITS), st.sampled_from(GROUNDS), st.integers(0, 90)), max_size=14
)


@settings(max_examples=300)
@given(steps=STEPS)
def test_only_rulings_and_hands_move_an_order_and_every_ruled_return_is_one_bounce(
    router: Router, steps: list[tuple[str, str, ReturnGround, int]]
) -> None:
    quarrel = Quarrel(router)
    for step in steps:
        quarrel.step(*step)
    life = quarrel.life
    bounces = [one for one in life.returns if one.ruled]
    assert len(bounces) == quarrel.ruled == life.names.count("ruled") <= router.city.routing.returns_before_centre
    assert all(one.against and one.ended_at for one in bounces)
    assert sum(one.state == "open" for one in life.returns) == (life.now.state == "returned")
    assert [one.turn for one in life.returns] == list(range(1, life.now.returns + 1))
    leads = [event for event in life.said if isinstance(event, TicketDispatched | TicketReassigned)]
    assert leads[-1].unit == life.now.unit


@settings(max_examples=200)
@given(acts=st.lists(st.tuples(ACTS.filter(lambda act: act in {"accept", "contact", "progress", "return", "resolve"}),
                               st.sampled_from(GROUNDS), st.integers(0, 300)), max_size=20))  # fmt: skip
def test_whatever_units_do_by_themselves_no_order_leaves_its_lead(
    router: Router, acts: list[tuple[str, ReturnGround, int]]
) -> None:
    quarrel = Quarrel(router)
    for act, ground, minutes in acts:
        quarrel.step(act, "co-water", ground, minutes)
    assert quarrel.life.now.unit_code == "co-water"
    assert len(quarrel.life.returns) <= 1


def test_a_withdrawal_ends_a_quarrel_without_a_bounce(life: Life) -> None:
    life.back().hear(WITHDRAWN)
    assert (life.returns[0].state, life.returns[0].against, life.names[-1]) == ("void", None, "recalled")
    with pytest.raises(NotPossibleError):
        life.rules_to(None, Verdict("属于你们", "centre"))


def test_the_words_of_a_return_go_with_the_others(life: Life) -> None:
    life.back().rules().hear(WORDLESS)
    assert (life.returns[0].note, life.returns[0].ruling, life.returns[0].state) == ("", None, "refused")
