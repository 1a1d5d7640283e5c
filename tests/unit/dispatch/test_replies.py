"""What a reply lacks. The sentences are made up for these tests."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.contracts.dispatch import ReplyFault
from libs.common.contracts.vocabulary import Kind
from services.dispatch.domain import Appealed, Names, reply_faults, reply_words
from services.dispatch.messages import Messages

NAMES = Names({"朝阳区": "朝阳区", "望京街道": "朝阳区", "海淀区": "海淀区", "学院路街道": "海淀区"})
LAMP = "广顺北大街南口的路灯坏了三天，晚上太黑，老人不敢出门"
GOOD = "您好。我处3月2日晚到广顺北大街南口，更换了烧坏的路灯灯泡，当晚已恢复照明。如有疑问请拨打值班电话12345。"


def faults(reply: str, words: str = LAMP, kind: Kind = "complaint") -> tuple[str, ...]:
    return reply_faults(reply, Appealed(words, "市政设施 道路照明 路灯不亮", kind, ("朝阳区", "望京街道")), NAMES)


def test_a_reply_that_says_what_was_done_and_whom_to_call_lacks_nothing() -> None:
    assert faults(GOOD) == ()


@pytest.mark.parametrize(
    "reply",
    [
        "您好，您反映的问题已收悉，已转相关部门办理，感谢您的支持。",
        "我单位高度重视您的诉求，将进一步加强管理，加大巡查力度。",
        "网友您好！您的诉求已交由市政部门核实处理，请您耐心等待。2026年3月2日",
        "您好，您反映的问题将按照相关规定研究办理。",
        "经核实，该问题正在协调推进中。",
        "您好。",
        "感谢您对我们工作的关心、理解与支持！",
    ],
)
def test_what_would_be_true_of_every_matter_is_boilerplate(reply: str) -> None:
    assert faults(reply) == ("boilerplate",)


def test_neither_done_nor_why_not_is_told() -> None:
    assert "nothing_done" in faults("目前路灯设施还在养护单位手里，路灯情况我们都清楚。联系电话：12345。")
    assert "nothing_done" not in faults("该路灯属于小区产权，因产权单位未移交，我处不能维修。联系电话：12345。")


def test_a_refusal_needs_a_basis() -> None:
    refused = "您好，路灯的事我们不予受理。联系电话：12345。"
    assert "no_basis" in faults(refused)
    assert "no_basis" not in faults("您好，根据《城市照明管理规定》，小区内路灯不属于我处职责范围。联系电话：12345。")


def test_a_promise_needs_a_date() -> None:
    assert "no_date" in faults("我处将组织维修路灯，下一步会尽快恢复。联系电话：12345。")
    assert "no_date" not in faults("我处将于3月10日前组织维修路灯。联系电话：12345。")


def test_a_consultation_is_answered_and_nothing_need_be_done() -> None:
    answer = "您好，路灯报修可以拨打养护单位电话12345。"
    assert faults(answer, "路灯坏了找谁报修", "consultation") == ()


def test_a_reply_without_a_way_to_reach_the_unit_is_noticed() -> None:
    assert faults(GOOD.replace("如有疑问请拨打值班电话12345。", "")) == ("no_contact",)
    assert "no_contact" not in faults(GOOD.replace("12345", "⟦phone-1⟧"))


def test_a_reply_to_another_appeal_is_noticed_by_its_matter_and_its_place() -> None:
    other = "经查，该商户未办理食品经营许可证，执法人员当场责令停业并立案查处。联系电话：12345。"
    assert faults(other) == ("off_topic",)
    assert "other_place" in faults(GOOD.replace("广顺北大街南口", "学院路街道五道口"))
    assert "other_place" not in faults(GOOD.replace("广顺北大街南口", "望京街道广顺北大街南口"))


def test_each_of_several_asks_wants_an_answer() -> None:
    words = "一、小区门口的路灯什么时候修好？二、地下车库的停车收费标准是怎么定的？"
    half = "小区门口的路灯已于昨日修复，共更换灯泡3个。联系电话：12345。"
    whole = half + "停车收费标准由业主大会表决确定，每月300元。"
    assert "unanswered" in faults(half, words)
    assert "unanswered" not in faults(whole, words)


def test_after_the_words_were_deleted_a_reply_is_not_held_against_them() -> None:
    assert faults("经查，该商户未办理许可证，当场责令停业。联系电话：12345。", "") == ()


def test_a_reply_in_another_language_is_not_judged_by_rules_that_know_chinese() -> None:
    assert faults("The lamp was replaced on Monday.") == ()


def test_every_fault_has_a_hint_in_both_languages() -> None:
    every: tuple[ReplyFault, ...] = get_args(ReplyFault)
    texts = Messages.load()
    assert len({*texts.hints(every, "zh"), *texts.hints(every, "en")}) == 2 * len(every)


@given(st.text(max_size=300), st.text(max_size=300))
def test_any_reply_to_any_appeal_can_be_checked(reply: str, words: str) -> None:
    assert len(set(faults(reply, words))) == len(faults(reply, words))


def test_how_plainly_a_reply_speaks_is_told_in_figures() -> None:
    plain = reply_words(GOOD)
    stiff = reply_words("我单位高度重视，将统筹协同、压实主体责任，强化闭环机制，进一步加强管理，切实做好相关工作。")
    assert plain is not None
    assert stiff is not None
    assert (plain.concrete, plain.empty) == (1, 0)
    assert stiff.concrete < plain.concrete
    assert stiff.empty > 0
    assert stiff.officialese > 5 > plain.officialese
    assert stiff.sentence > plain.sentence


def test_a_reply_in_another_language_or_without_words_has_no_figures() -> None:
    assert reply_words("The lamp was repaired on 2 March.") is reply_words("。") is reply_words("") is None


@given(st.text(max_size=200))
def test_figures_of_any_text_stay_within_bounds(reply: str) -> None:
    said = reply_words(reply)
    assert said is None or (said.characters > 0 and 0 <= said.concrete <= 1 and said.sentence <= said.characters)
