"""KPIs and scoring as data: what a pack may say, and that nothing in it becomes a query."""

from pathlib import Path
from typing import get_args

import pytest

from libs.common.city.kpis import Counted, Filter, Kpis, Moment, Value, load_kpis
from libs.common.city.problems import Problems
from libs.common.city.scoring import load_scoring
from services.feedback.domain.kpis import Dimension
from services.feedback.store import kpis as store

SOLVED = """
[[kpis]]
code = "solved"
name = { zh = "解决率", en = "Solved" }
about = { zh = "本市口径", en = "As the city has it" }
counts = "reviewed"
"""


def read(folder: Path, text: str) -> tuple[Kpis | None, tuple[str, ...]]:
    (folder / "kpis.toml").write_text(text, encoding="utf-8")
    problems = Problems()
    return load_kpis(folder, problems), tuple(problems.found)


def test_a_pack_without_files_of_its_own_measures_and_scores(tmp_path: Path) -> None:
    problems = Problems()
    kpis, scoring = load_kpis(tmp_path, problems), load_scoring(tmp_path, problems)
    assert kpis
    assert scoring
    assert problems.found == []
    assert {
        "responded",
        "solved",
        "satisfied",
        "total",
        "return_rate",
        "reopened",
        "resolve_p90",
    } <= kpis.by_code.keys()
    assert [kpi.code for kpi in kpis if not (kpi.name.zh and kpi.about.zh and kpi.name.en and kpi.about.en)] == []


def test_a_pack_puts_a_kpi_in_place_of_one_and_adds_others(tmp_path: Path) -> None:
    more = SOLVED.replace('"solved"', '"solved_or_partly"')
    share = 'measure = "share"\nhaving = ["solved"]\nfilters = ["elderly"]\n'
    kpis, wrong = read(tmp_path, SOLVED + share + more + 'measure = "count"\n')
    assert wrong == ()
    assert kpis
    assert (kpis.by_code["solved"].filters, kpis.by_code["satisfied"].having) == (("elderly",), ("satisfied",))
    assert "solved_or_partly" in kpis.by_code


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('measure = "share"\n', "having"),
        ('measure = "count"\nhaving = ["solved"]\n', "having"),
        ('measure = "mean"\n', "value"),
        ('measure = "p50"\nof = "support"\nbetween = ["received", "ended"]\n', "value"),
        ('measure = "ratio"\n', "per"),
        ('measure = "ratio"\nper = "total"\n', "per"),
        ('measure = "weighted"\nparts = ["solved"]\n', "parts"),
        ('measure = "share"\nhaving = ["solved"]\nfilters = ["refused"]\n', "returns"),
        ('measure = "share"\nhaving = ["1=1; DROP TABLE cases"]\n', "Input should be"),
    ],
)
def test_a_kpi_that_cannot_be_counted_is_refused_with_the_reason(tmp_path: Path, text: str, says: str) -> None:
    _, wrong = read(tmp_path, SOLVED + text)
    assert len(wrong) >= 1
    assert says in " ".join(wrong)


def test_answers_are_not_looked_for_where_none_are_counted(tmp_path: Path) -> None:
    _, (wrong,) = read(tmp_path, SOLVED.replace("reviewed", "received") + 'measure = "share"\nhaving = ["satisfied"]\n')
    assert "answers" in wrong


def test_every_word_of_the_vocabulary_can_be_counted_by() -> None:
    kinds = ((store.FROM, Counted), (store.FILTERS, Filter), (store.MOMENTS, Moment), (store.VALUES, Value))
    for words, vocabulary in (*kinds, (store.GROUPS, Dimension)):
        assert sorted(words) == sorted(get_args(vocabulary))
