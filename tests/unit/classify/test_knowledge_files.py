"""Files as articles: fields in both languages, faults with their lines, passages that lose nothing."""

import io
import re
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from docx import Document
from hypothesis import given
from hypothesis import strategies as st

from libs.common.city.pack import City, load_city
from services.classify.domain import Candidate, Passage, Scored
from services.classify.knowledge import FileFaultError, Finder, Matters, Shelf, drafts_in, split, terms
from services.classify.knowledge.__main__ import faults as check
from services.classify.knowledge.passages import LONGEST
from services.classify.knowledge.reading import MOST_ROWS
from services.classify.knowledge.word import markdown_in
from services.classify.model.meaning import WIDTH
from tests.support.stages import CITY, NOON

ARTICLE = """---
id: lift-rules
标题：电梯使用规则（示例）
owner: dept-housing
expires_on: 2026-12-31
asked: 电梯怎么用 | 谁能用电梯
---

开头的话。

## 使用时间

> 问：几点能用电梯

电梯全天使用。

### 夜间

夜里请轻声。
"""


@pytest.fixture(scope="module")
def city() -> City:
    return load_city(CITY)


@pytest.fixture(scope="module")
def shelf(city: City) -> Shelf:
    return Shelf(city)


@pytest.fixture(scope="module")
def finder(city: City) -> Finder:
    return Finder(city.catalogue, None)


def faults(shelf: Shelf, text: str) -> list[tuple[int, str]]:
    """Return line and field of what is wrong with the one article of a text."""
    (draft,) = drafts_in(text)
    return [(fault.line, fault.field) for fault in shelf.content(draft)[1]]


def test_a_markdown_file_is_one_article_with_fields_in_either_language(shelf: Shelf) -> None:
    (draft,) = drafts_in(ARTICLE)
    content, wrong = shelf.content(draft)
    assert wrong == []
    assert content is not None
    assert (content.title, content.asked) == ("电梯使用规则（示例）", ("电梯怎么用", "谁能用电梯"))
    assert content.expires_at is not None
    assert content.expires_at.isoformat() == "2027-01-01T00:00:00+08:00"
    assert content.effective_at is None


def test_passages_follow_headings_and_know_how_they_are_asked_for() -> None:
    (draft,) = drafts_in(ARTICLE)
    passages = split(draft.body, ("电梯怎么用",))
    assert [(one.anchor, one.heading, one.text) for one in passages] == [
        ("1.1", "", "开头的话。"),
        ("2.1", "使用时间", "电梯全天使用。"),
        ("3.1", "使用时间 / 夜间", "夜里请轻声。"),
    ]
    assert [one.asked for one in passages] == [("电梯怎么用",), ("几点能用电梯",), ()]


def test_every_fault_is_named_with_its_line(shelf: Shelf) -> None:
    text = ARTICLE.replace("dept-housing", "nobody").replace("2026-12-31", "2026-02-30").replace("id: l", "id: L")
    assert faults(shelf, text) == [(2, "id"), (4, "owner"), (5, "expires_on")]
    assert faults(shelf, ARTICLE.replace("owner:", "proprietor:")) == [(4, "head"), (1, "owner")]
    assert faults(shelf, ARTICLE.replace("asked:", "codes:")) == [(6, "codes")]
    assert faults(shelf, ARTICLE.partition("开头")[0]) == [(1, "body")]


@pytest.mark.parametrize("slug", ["articles", "a--b", "A", "-a", "a/b", "电梯", "a" * 81])
def test_an_id_that_would_be_no_path_is_refused(shelf: Shelf, slug: str) -> None:
    assert faults(shelf, ARTICLE.replace("lift-rules", slug)) == [(2, "id")]


def test_each_row_of_a_table_is_an_article(shelf: Shelf) -> None:
    table = '编号,标题,责任单位,正文\na-1,甲,dept-housing,"第一行\n第二行"\n\nb-2,乙,nobody,文\nc-3,丙\n'
    first, second, third = drafts_in(table)
    content, _ = shelf.content(first)
    assert content is not None
    assert content.body == "第一行\n第二行"
    assert [(f.line, f.field) for f in shelf.content(second)[1]] == [(5, "owner")]
    assert (6, "row") in [(f.line, f.field) for f in shelf.content(third)[1]]


def test_a_table_whose_lines_end_as_on_an_old_machine_is_read_all_the_same(shelf: Shelf) -> None:
    first, second = drafts_in("编号,标题,责任单位,正文\ra-1,甲,dept-housing,文\rb-2,乙,nobody,文\r")
    assert shelf.content(first)[1] == []
    assert [(f.line, f.field) for f in shelf.content(second)[1]] == [(3, "owner")]


@given(st.text(st.sampled_from("标题a,\"'\r\n \t-:\0"), max_size=40))
def test_whatever_a_file_holds_it_is_read_or_refused(text: str) -> None:
    with suppress(FileFaultError):
        drafts_in(text)


@pytest.mark.parametrize(
    "text",
    ["随便写的", "---\nid: a\n没有结束", "id,colour\na,red", "id,编号\na,b", 'id,title\na,"没有结束', "", "\n"],
)
def test_a_file_that_holds_no_articles_is_refused_as_a_whole(text: str) -> None:
    with pytest.raises(FileFaultError):
        drafts_in(text)


def test_a_table_too_long_to_be_read_at_once_is_refused() -> None:
    with pytest.raises(FileFaultError, match="at most"):
        drafts_in("id,title\n" + "a,b\n" * (MOST_ROWS + 1))


def test_the_same_words_have_the_same_fingerprint_and_others_another(shelf: Shelf) -> None:
    digests = set()
    for text in (ARTICLE, ARTICLE, ARTICLE.replace("轻声", "安静"), ARTICLE.replace("2026-12-31", "2026-12-30")):
        content, _ = shelf.content(*drafts_in(text))
        assert content is not None
        digests.add(content.digest)
    assert len(digests) == 3


def test_a_word_document_has_its_fields_in_a_table_and_its_tables_become_lines(shelf: Shelf) -> None:
    document, file = Document(), io.BytesIO()
    head = document.add_table(3, 2)
    for row, pair in zip(
        head.rows, [("编号", "lift-fees"), ("标题", "收费"), ("责任单位", "dept-housing")], strict=True
    ):
        row.cells[0].text, row.cells[1].text = pair
    document.add_heading("收费标准", 1)
    fees = document.add_table(2, 2)
    for row, pair in zip(fees.rows, [("楼层", "金额"), ("三层", "每月示例5元")], strict=True):
        row.cells[0].text, row.cells[1].text = pair
    document.add_paragraph("没有<b>标记</b>。")
    document.save(file)
    (draft,) = drafts_in(markdown_in(file))
    content, wrong = shelf.content(draft)
    assert (wrong, draft.article_id) == ([], "lift-fees")
    assert content is not None
    (passage,) = split(content.body)
    assert (passage.heading, passage.text) == ("收费标准", "楼层：三层，金额：每月示例5元。\n没有<b>标记</b>。")


@given(st.text(alphabet="政策。；\n #>问：|a1", max_size=2000))
def test_no_word_of_an_article_is_lost_and_no_passage_is_too_long(body: str) -> None:
    passages = split(body)
    assert all(len(passage.text) <= LONGEST for passage in passages)
    assert len({passage.anchor for passage in passages}) == len(passages)
    said = [line.strip() for line in body.splitlines() if line.strip() and line.strip()[0] not in "#>问"]
    kept = "".join("".join(passage.text.split()) for passage in passages)
    assert all("".join(line.split()) in kept for line in said)


def test_the_example_articles_of_the_pack_are_without_faults(city: City) -> None:
    paths = sorted((Path("deploy/cities/beijing") / "knowledge").glob("*.md"))
    assert len(paths) >= 25
    for path in paths:
        content, wrong = Shelf(city).content(*drafts_in(path.read_text()))
        assert (wrong, content and content.article_id) == ([], path.stem)
        assert "示例" in (content.title if content else "")


def test_without_a_sentence_model_candidates_are_found_and_none_is_sure(finder: Finder) -> None:
    wanted = finder.wanted("请问身份证丢了补办要多少钱")
    assert {"身份证", "补办"} <= set(wanted.terms)
    assert "请" not in wanted.terms
    (passage,) = finder.read("身份证补领", [Passage("1.1", "收费", "丢失补领收工本费。", ("补办身份证要多少钱",))])
    assert {"身份证", "补办"} <= set(terms("身份证补领", passage))
    candidate = Candidate(
        "id-card", 1, "1.1", "收费", passage.text, passage.asked, passage.meant, "身份证补领", "dept-police", None,
        NOON, None, (), finder.model, b"",
    )  # fmt: skip
    assert finder.judge(wanted, [candidate]) == [Scored(candidate, None)]


def test_what_a_question_is_about_besides_is_the_nearest_matter_of_the_catalogue(city: City) -> None:
    phrases = [question.code for question in city.catalogue for _ in question.phrases]
    one, other = phrases[0], phrases[-1]
    rows = np.zeros((len(phrases), WIDTH), dtype=np.float16)
    rows[[code == one for code in phrases], 0] = rows[[code == other for code in phrases], 1] = 1
    rows[[code not in {one, other} for code in phrases], 2] = 1
    direction = np.zeros(WIDTH, dtype=np.float32)
    direction[:2] = 0.8, 0.6
    assert [(code, round(near, 2)) for code, near in Matters(city.catalogue, rows).near(direction)[:2]] == [
        (one, 0.8), (other, 0.6)
    ]  # fmt: skip
    assert Matters.of(city.catalogue, {"meant_phrase": rows[:0], "meant_step": np.ones((), dtype=np.float32)}) is None


def test_a_pack_is_told_which_article_names_what_the_city_has_not(shelf: Shelf, tmp_path: Path) -> None:
    path = tmp_path / "other-name.md"
    path.write_text(ARTICLE.replace("owner: dept-housing", "owner: nobody\ncodes: no-such-question"))
    assert [(fault.line, fault.field) for fault in check(shelf, path)] == [(4, "owner"), (5, "codes"), (1, "id")]


@given(st.text(max_size=300))
def test_whatever_is_asked_its_terms_are_letters_and_digits(finder: Finder, text: str) -> None:
    wanted = finder.wanted(text)
    assert all(re.fullmatch(r"[0-9a-z\u4e00-\u9fff]+", term) for term in wanted.terms)
    assert all(0 <= weight <= 1 for weight in wanted.weights)
