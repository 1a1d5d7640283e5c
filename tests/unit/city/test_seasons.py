"""seasons.toml: what comes back every year."""

from datetime import date
from pathlib import Path

import pytest

from libs.common.city.catalogue import load_catalogue
from libs.common.city.problems import Problems
from libs.common.city.seasons import FILE, Seasons, load_seasons
from libs.common.city.units import load_units

BEIJING = Path("deploy/cities/beijing")
WORK = '[[season.work]]\nby = "{by}"\nweeks_before = 2\nwhat = {{ zh = "查", en = "Look" }}\n'
SEASON = '[[season]]\nid = "s"\nname = {{ zh = "季", en = "S" }}\n{when}\ncategories = {categories}\n' + WORK


def load(folder: Path) -> tuple[Seasons | None, tuple[str, ...]]:
    problems = Problems()
    units = load_units(BEIJING, problems)
    catalogue = load_catalogue(BEIJING / "catalogue", {unit.code: unit.kind for unit in units.values()}, problems)
    return load_seasons(folder, units, catalogue, problems), tuple(problems.found)


def written(folder: Path, when: str, categories: str = '["heating-01"]', by: str = "owner") -> Path:
    (folder / FILE).write_text(SEASON.format(when=when, categories=categories, by=by))
    return folder


def test_the_seasons_of_beijing_name_questions_there_are() -> None:
    seasons, problems = load(BEIJING)
    assert problems == ()
    assert seasons is not None
    assert all(seasons.questions[season.id] for season in seasons.seasons)
    heating = next(season for season in seasons.seasons if season.id == "heating")
    assert heating.coming(date(2026, 11, 22)) == (date(2026, 11, 15), date(2027, 3, 15))
    assert heating.coming(date(2027, 3, 16)) == (date(2027, 11, 15), date(2028, 3, 15))
    assert heating.coming(date(2027, 1, 1)) == (date(2026, 11, 15), date(2027, 3, 15))


def test_a_pack_without_the_file_has_rules_and_no_seasons(tmp_path: Path) -> None:
    seasons, problems = load(tmp_path)
    assert problems == ()
    assert seasons is not None
    assert (seasons.seasons, seasons.bonus.most) == ((), 2.0)


def test_the_spring_festival_moves(tmp_path: Path) -> None:
    seasons, problems = load(written(tmp_path, "around = [10, 15]"))
    assert problems == ()
    assert seasons is not None
    (season,) = seasons.seasons
    assert season.span(2026) == (date(2026, 2, 7), date(2026, 3, 4))
    assert season.span(2027) == (date(2027, 1, 27), date(2027, 2, 21))


@pytest.mark.parametrize(
    ("when", "categories", "by", "said"),
    [
        ('begins = "11-15"', '["heating-01"]', "owner", "begins and ends, or around"),
        ('begins = "02-29"\nends = "03-15"', '["heating-01"]', "owner", "every year"),
        ("around = [1, 2]", '["nothing"]', "owner", "name of the catalogue"),
        ("around = [1, 2]", '["heating-01"]', "nobody", "owner, district, street"),
        ("around = [1]", '["heating-01"]', "owner", "around"),
    ],
)
def test_what_is_wrong_is_told(tmp_path: Path, when: str, categories: str, by: str, said: str) -> None:
    _, problems = load(written(tmp_path, when, categories, by))
    assert any(said in problem for problem in problems), problems
