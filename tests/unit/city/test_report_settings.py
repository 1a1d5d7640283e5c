"""reports.toml and districts.csv: what is reported by itself, what may be published, where districts stand."""

from pathlib import Path

import pytest

from libs.common.city.problems import Problems
from libs.common.city.reports import load_grid, load_reports
from libs.common.city.units import load_units

BEIJING = Path("deploy/cities/beijing")
UNITS = load_units(BEIJING, Problems())


def test_a_pack_without_the_files_has_those_of_every_city_and_its_districts_in_their_order(tmp_path: Path) -> None:
    problems = Problems()
    reports = load_reports(tmp_path, problems)
    grid = load_grid(tmp_path / "districts.csv", UNITS, problems)
    assert reports
    assert (reports.open_data.k, problems.found) == (5, [])
    assert list(grid.values())[:6] == [(0, 0), (1, 0), (2, 0), (3, 0), (4, 0), (0, 1)]


def test_the_map_of_beijing_has_every_district_where_it_lies() -> None:
    problems = Problems()
    grid = load_grid(BEIJING / "districts.csv", UNITS, problems)
    assert problems.found == []
    assert len(set(grid.values())) == 16
    dongcheng, xicheng, chaoyang, yanqing, daxing = (
        grid[code] for code in ("110101", "110102", "110105", "110119", "110115")
    )
    assert xicheng[0] < dongcheng[0] < chaoyang[0]
    assert yanqing[1] < xicheng[1] < daxing[1]


@pytest.mark.parametrize(
    ("lines", "wrong"),
    [
        ("999999,0,0\n", "should be the six-digit code of a district unit"),
        ("110101,x,0\n", "should be whole numbers"),
        ("110101,0,0\n110102,0,0\n", "another district has that tile"),
        ("110101,0,0\n", "lacks the district 110102"),
    ],
)
def test_a_map_that_cannot_be_drawn_says_why(tmp_path: Path, lines: str, wrong: str) -> None:
    (tmp_path / "districts.csv").write_text("district,column,row\n" + lines)
    problems = Problems()
    load_grid(tmp_path / "districts.csv", UNITS, problems)
    assert wrong in str(problems.found)


@pytest.mark.parametrize("text", ['settled = "PT1H"', "k = 1", "= ="])
def test_settings_that_cannot_be_used_say_why(tmp_path: Path, text: str) -> None:
    (tmp_path / "reports.toml").write_text(text)
    problems = Problems()
    assert load_reports(tmp_path, problems) is None
    assert "reports.toml" in str(problems.found)
