"""New words and moods: pairs of characters nobody used before, the word around them, and how people sound."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.city.pack import load_city
from services.classify.hotspots import Grams, Mention, load_lexicon
from services.classify.hotspots.words import MOST, Out, Past, grouped, standing_out, whole_word
from tests.support.stages import CITY

NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)
DAY = timedelta(days=1)
A_DAY = 3000.0
NEW, HEARD = Out(0.1, unheard=True), Out(0.1, unheard=False)
LEXICON = load_lexicon(CITY / "hotspots.toml")
GRAMS = Grams(load_city(CITY), LEXICON.empty)


def mention(number: int, *words: str, code: str = "", street: str = "", voice: int | None = None) -> Mention:
    """Return a ticket of somebody's own that uses some grams; of a question and street of its own unless said."""
    whose = number if voice is None else voice
    return Mention(
        UUID(int=number), NOON, code or f"q-{number}", "110105", street or f"s-{number}", whose, frozenset(words)
    )


def test_what_the_catalogue_and_the_city_know_is_no_news() -> None:
    assert not {"望京", "暖气", "不热"} & set(GRAMS.of("望京街道暖气不热"))
    assert {"紫冠", "冠卡"} <= set(GRAMS.of("最近紫冠卡乱扣费"))


def test_what_only_binds_words_is_part_of_none() -> None:
    assert not {"卡的", "的人"} & set(GRAMS.of("紫冠卡的人"))


def test_what_everybody_uses_day_by_day_is_no_news() -> None:
    grams = Grams(load_city(CITY), LEXICON.empty)
    grams.usual({"紫冠": 25.0, "冠卡": 2.0})
    assert "紫冠" not in grams.of("紫冠卡")
    assert "冠卡" in grams.of("紫冠卡")


@given(st.text())
def test_any_text_is_read_and_gives_no_more_than_so_many_grams(text: str) -> None:
    found = GRAMS.of(text)
    assert len(found) <= MOST
    assert all(len(gram) == 2 for gram in found)


def test_a_gram_nobody_used_stands_out_sooner_than_one_that_some_use() -> None:
    past = Past({"蓝鲸": 200.0}, 20.0, A_DAY)
    out = standing_out({"紫冠": 10, "蓝鲸": 20, "白鹭": 2}, past, 1.0, DAY, 6, 0.25)
    assert {word: one.unheard for word, one in out.items()} == {"紫冠": True}


def test_before_a_day_was_learnt_no_word_stands_out() -> None:
    assert standing_out({"紫冠": 100}, Past({}, 0.0, A_DAY), 1.0, DAY, 6, 0.25) == {}


def test_a_week_of_words_is_looked_at_only_when_a_week_before_it_was_learnt() -> None:
    counts = {"紫冠": 28}
    assert standing_out(counts, Past({"紫冠": 22.0}, 10.0, A_DAY), 7.0, timedelta(days=7), 6, 0.25) == {}


def test_a_word_may_be_common_that_a_short_past_of_few_tickets_has_not_met() -> None:
    assert standing_out({"该楼": 6}, Past({}, 14.0, 11.0), 1.0, DAY, 6, 0.25).keys() == {"该楼"}
    assert standing_out({"该楼": 6}, Past({"该楼": 7.0}, 14.0, 11.0), 7.0, timedelta(days=7), 6, 0.25) == {}


def test_a_gram_that_goes_on_for_days_is_not_its_own_excuse() -> None:
    out = standing_out({"紫冠": 28}, Past({"紫冠": 22.0}, 20.0, A_DAY), 7.0, timedelta(days=7), 6, 0.25)
    assert set(out) == {"紫冠"}


def test_tickets_with_one_new_word_are_one_group_whatever_they_are_taken_for() -> None:
    mentions = [mention(number, "紫冠", "冠卡", f"乱{number}") for number in range(8)]
    (group,) = grouped(mentions, {"紫冠": NEW, "冠卡": NEW}, DAY, 6)
    assert (group.grams, len(group.mentions)) == (("冠卡", "紫冠"), 8)


def test_pairs_that_no_ticket_holds_together_are_not_one_word() -> None:
    tails = [("冠卡", "的紫"), ("冠卡",), ("的紫",)]
    mentions = [mention(number, "紫冠", *tails[number % 3], street="s-1") for number in range(15)]
    (group,) = grouped(mentions, {"紫冠": NEW, "冠卡": NEW, "的紫": NEW}, DAY, 6)
    assert len({m.voice for m in group.mentions}) >= 6
    assert all(set(group.grams) <= m.words for m in group.mentions)
    assert len(group.grams) == 2


@given(st.lists(st.frozensets(st.sampled_from(["紫冠", "冠卡", "卡会", "会员"])), max_size=40))
def test_an_event_of_new_words_has_tickets_that_hold_all_of_them(said: list[frozenset[str]]) -> None:
    mentions = [mention(number, *words, street="s-1") for number, words in enumerate(said) if words]
    for group in grouped(mentions, dict.fromkeys(["紫冠", "冠卡", "卡会", "会员"], NEW), DAY, 6):
        assert len([m for m in mentions if set(group.grams) <= m.words]) >= 6


def test_a_pair_that_only_turns_up_everywhere_is_no_event() -> None:
    assert grouped([mention(number, "节前") for number in range(9)], {"节前": NEW}, DAY, 6) == []


def test_a_polite_phrase_of_many_letters_is_no_event() -> None:
    mentions = [mention(number, "尊敬", "敬的") for number in range(20)]
    assert grouped(mentions, {"尊敬": HEARD, "敬的": HEARD}, DAY, 6) == []


def test_a_pair_is_an_event_where_its_tickets_are_of_one_street_or_matter() -> None:
    (group,) = grouped([mention(number, "鹭岛", street="s-1") for number in range(9)], {"鹭岛": NEW}, DAY, 6)
    assert group.grams == ("鹭岛",)


def test_a_pair_that_two_matters_happen_to_share_is_no_event() -> None:
    mentions = [mention(number, "城小", code=f"q-{min(number, 4)}") for number in range(9)]
    assert grouped(mentions, {"城小": NEW}, DAY, 6) == []


def test_one_person_s_word_is_no_event() -> None:
    assert grouped([mention(n, "紫冠", "冠卡", voice=1) for n in range(9)], {"紫冠": NEW, "冠卡": NEW}, DAY, 6) == []


@pytest.mark.parametrize(
    ("gram", "texts", "word"),
    [
        ("紫冠", ["办紫冠卡被扣费", "紫冠卡退钱", "推销紫冠卡的人"], "紫冠卡"),
        ("紫冠", ["紫冠"], "紫冠"),
        ("冠卡", [], "冠卡"),
    ],
)
def test_a_new_word_is_as_long_as_its_texts_agree_on(gram: str, texts: list[str], word: str) -> None:
    assert whole_word(gram, texts) == word


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("没人管，忍无可忍，太过分了", -1.0, -0.5),
        ("感谢师傅，修好了", 0.3, 1.0),
        ("路灯不亮", 0.0, 0.0),
        ("对处理结果不满意", -0.5, -0.01),
    ],
)
def test_a_mood_is_told_by_words_and_turned_by_negation(text: str, low: float, high: float) -> None:
    assert low <= LEXICON.mood(text) <= high


@given(st.text())
def test_any_text_has_a_mood_between_bitter_and_glad(text: str) -> None:
    assert -1 <= LEXICON.mood(text) <= 1


def test_who_needs_protecting_and_what_may_be_dangerous_is_heard() -> None:
    assert LEXICON.vulnerable.search("八十多岁的独居老人")
    assert LEXICON.safety.search("墙皮掉下来，有安全隐患")
    assert not LEXICON.safety.search("路灯不亮")
