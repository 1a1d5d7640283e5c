import csv
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.runtime.privacy import Mark, Redactor, doors, handles, names, numbers, restore
from libs.common.runtime.privacy.finding import Rule, digits_of, fold

CASES = Path(__file__).with_name("pii_cases.csv")
EXPECTED = re.compile(r"\{([a-z_]+):([^}]*)\}")
NEUTRAL = str.maketrans("⟦⟧", "〔〕")
RULES = (*numbers.IN_LONG_RUNS, *handles.RULES, *doors.RULES, *doors.ENGLISH, *names.RULES, *names.ENGLISH)

Found = tuple[str, str, str]  # sentence, kind, original


def cases() -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Read the sentences: what must be marked stands in them as {kind:original}."""
    with CASES.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            yield EXPECTED.sub(r"\2", row["text"]), EXPECTED.findall(row["text"])


@pytest.fixture(scope="module")
def wanted() -> set[Found]:
    return {(text, kind, original) for text, marks in cases() for kind, original in marks}


@pytest.fixture(scope="module")
def marked() -> set[Found]:
    return {(text, mark.kind, mark.original) for text, _ in cases() for mark in marks_in(text)}


def marks_in(text: str) -> tuple[Mark, ...]:
    redactor = Redactor()
    redactor.redact(text)
    return redactor.marks


@pytest.mark.parametrize(
    ("kind", "recall"),
    [
        ("phone", 1.0),
        ("id_card", 1.0),
        ("bank_card", 1.0),
        ("plate", 1.0),
        ("email", 1.0),
        ("passport", 1.0),
        ("wechat", 1.0),
        ("qq", 1.0),
        ("door", 0.95),
        ("name", 0.9),
    ],
)
def test_personal_data_is_found_as_citizens_write_it(
    wanted: set[Found], marked: set[Found], kind: str, recall: float
) -> None:
    those = {entry for entry in wanted if entry[1] == kind}
    assert len(those & marked) >= recall * len(those), those - marked


def test_what_is_not_personal_stays(wanted: set[Found], marked: set[Found]) -> None:
    assert len(marked - wanted) <= 0.01 * len(marked), marked - wanted


def test_a_redacted_text_holds_nothing_more_to_mark() -> None:
    for text, _ in cases():
        once = Redactor().redact(text)
        again = Redactor()
        assert again.redact(once) == once.translate(NEUTRAL)
        assert again.marks == ()


def test_equal_originals_share_a_mark_and_others_count_on() -> None:
    redactor = Redactor()
    assert redactor.redact("打13800138000，不通打13900139000，再打13800138000") == (
        "打⟦phone-1⟧，不通打⟦phone-2⟧，再打⟦phone-1⟧"
    )
    assert redactor.marks == (Mark("phone-1", "phone", "13800138000"), Mark("phone-2", "phone", "13900139000"))


def test_the_texts_of_one_ticket_share_one_numbering() -> None:
    redactor = Redactor()
    assert redactor.redact("请回电13800138000") == "请回电⟦phone-1⟧"
    assert redactor.redact("3号楼2单元501室") == "3号楼⟦door-1⟧"
    assert redactor.redact("或13900139000，或13800138000") == "或⟦phone-2⟧，或⟦phone-1⟧"


def test_a_later_text_counts_on_from_the_marks_the_ticket_has() -> None:
    earlier = (Mark("phone-1", "phone", "13800138000"), Mark("phone-2", "phone", "13900139000"))
    redactor = Redactor(marks=earlier)
    assert redactor.redact("还是13900139000，或者13700137000") == "还是⟦phone-2⟧，或者⟦phone-3⟧"
    assert redactor.marks == (*earlier, Mark("phone-3", "phone", "13700137000"))


def test_what_a_citizen_typed_cannot_pass_for_a_mark() -> None:
    redactor = Redactor()
    redacted = redactor.redact("⟦phone-1⟧是他的，我的是13800138000")
    assert redacted == "〔phone-1〕是他的，我的是⟦phone-1⟧"
    assert restore(redacted, redactor.marks) == "〔phone-1〕是他的，我的是13800138000"


def test_a_mark_that_was_not_given_stays_when_the_others_are_opened() -> None:
    assert restore("⟦phone-1⟧和⟦name-1⟧", [Mark("name-1", "name", "张三")]) == "⟦phone-1⟧和张三"


@pytest.mark.parametrize(
    ("known", "text", "redacted"),
    [
        (("name", "张三"), "张三丰盛胡同的张三", "⟦name-1⟧丰盛胡同的⟦name-1⟧"),
        (("name", "诸葛小明"), "诸葛小明已经说过", "⟦name-1⟧已经说过"),
        (("name", "Ann Lee"), "ask ann lee, not Joann Leeds", "ask ⟦name-1⟧, not Joann Leeds"),
        (("phone", "010-64001234"), "打6400 1234没人接", "打⟦phone-1⟧没人接"),
        (("phone", "+86 10 64001234"), "六四零零一二三四是我家", "⟦phone-1⟧是我家"),
        (("name", "市民"), "市民都反映", "市民都反映"),
        (("name", "王"), "王府井", "王府井"),
        (("phone", "12345"), "打12345", "打12345"),
    ],
)
def test_what_the_reporter_gave_is_replaced_wherever_it_occurs(
    known: tuple[str, str], text: str, redacted: str
) -> None:
    assert Redactor([known]).redact(text) == redacted


def spaced(digits: str) -> st.SearchStrategy[str]:
    """Write digits as people do: in groups, full width, in Chinese."""
    groups = [digits, f"{digits[:3]} {digits[3:7]} {digits[7:]}", f"{digits[:3]}-{digits[3:7]}-{digits[7:]}"]
    chinese = digits.translate(str.maketrans("0123456789", "零一二三四五六七八九"))
    wide = digits.translate({code: code + 0xFEE0 for code in range(0x30, 0x3A)})
    return st.sampled_from([*groups, chinese, wide, f"+86{digits}", f"0086 {digits}", " ".join(digits)])


def with_check_digit(digits: str) -> str:
    """Complete a bank card number by Luhn's digit."""
    doubled = sum(sum(divmod(2 * int(digit), 10)) for digit in digits[::-2])
    return digits + str(-(doubled + sum(map(int, digits[-2::-2]))) % 10)


MOBILES = st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True).flatmap(spaced)
CARDS = st.from_regex(r"62[0-9]{13,16}", fullmatch=True).map(with_check_digit)
IDENTITIES = st.builds(
    "{}{:%Y%m%d}{}".format,
    st.sampled_from(["110101", "310115", "440306", "510104"]),
    st.dates().filter(lambda day: 1900 <= day.year < 2030),
    st.from_regex(r"[0-9]{3}[0-9X]", fullmatch=True),
)
WORDS = st.text("我们小区的路灯坏了很久没有人来修，。请尽快处理！ \n", min_size=1)


@given(before=WORDS, original=st.one_of(MOBILES, CARDS, IDENTITIES), after=WORDS)
def test_no_digit_of_an_original_survives(before: str, original: str, after: str) -> None:
    redactor = Redactor()
    redacted = redactor.redact(before + original + after)
    assert digits_of(fold(re.sub("⟦.*?⟧", "", redacted))) == ""
    assert restore(redacted, redactor.marks) == before + original + after


# Words that rules look for, and bits of what they find: where they meet at random, rules meet too.
WORD_LIST = """
我叫 我是 姓 先生 女士 业主 联系人： 电话 微信号 身份证 住 楼上 3号楼 2单元 501 室
- · . @ ⟦ ⟧ ⟦phone-1⟧ 京A 张三 王 1 86 + 一 三 零
name is John Smith a.b example.com 13800138000 6222020200112230 ， 。 ( )
"""
PIECES = st.sampled_from(WORD_LIST.split())


@given(text=st.lists(st.one_of(PIECES, st.text(max_size=3)), max_size=40).map("".join))
def test_every_text_can_be_restored(text: str) -> None:
    redactor = Redactor([("name", "张三"), ("phone", "13800138000")])
    assert restore(redactor.redact(text), redactor.marks) == text.translate(NEUTRAL)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.pattern.pattern[:40])
def test_every_repeat_in_a_rule_is_bounded_so_its_cost_is_linear(rule: Rule) -> None:
    bare = re.sub(r"\\.", "", rule.pattern.pattern)
    bare = re.sub(r"\[[^\]]*\]", "", bare)
    assert not re.search(r"[*+]|\{\d*,\}", bare)
    assert max(map(int, re.findall(r"(\d+)\}", bare)), default=1) <= 64


@pytest.mark.parametrize(
    "piece", ["1", "1 ", "1-", "一", "a", "a.", "a@", "我叫", "王先生", "3号楼", "501、", "京A1", "Mr A", "⟦"]
)
def test_a_text_made_to_be_slow_is_done(piece: str) -> None:
    text = piece * (20_000 // len(piece))
    redactor = Redactor([("name", piece), ("phone", "11111111")])
    assert restore(redactor.redact(text), redactor.marks) == text.translate(NEUTRAL)
