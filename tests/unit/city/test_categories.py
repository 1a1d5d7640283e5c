"""categories.csv: what the level-1 categories are called in English."""

from pathlib import Path

from libs.common.city.categories import FILE, category_name, load_categories
from libs.common.city.pack import load_city
from libs.common.city.problems import Problems
from libs.common.city.settings import Name

CITY = load_city(Path("deploy/cities/beijing"))


def test_every_level_1_category_of_beijing_has_an_english_name_which_its_services_are_grouped_by() -> None:
    assert len(CITY.categories) == 25
    for name in CITY.categories.values():
        assert name.en.isascii()
    for service in CITY.services.by_code.values():
        assert service.group == CITY.categories[service.group.zh]


def test_a_pack_without_the_file_and_a_category_that_is_no_more_are_read_in_chinese(tmp_path: Path) -> None:
    problems = Problems()
    named = load_categories(tmp_path, CITY.catalogue, problems)
    assert (problems.found, named["供电"]) == ([], Name("供电", "供电"))
    assert category_name(named, "早年的类别") == Name("早年的类别", "早年的类别")


def test_a_row_that_names_no_category_or_one_twice_is_told(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("name,name_en\n供电,Electricity\n供电,Power\n天气,Weather\n燃气,\n", encoding="utf-8")
    problems = Problems()
    assert load_categories(tmp_path, CITY.catalogue, problems)["供电"].en == "Electricity"
    assert [found.partition(": ")[0] for found in problems.found] == [
        "categories.csv:3 name", "categories.csv:4 name", "categories.csv:5 name_en",
    ]  # fmt: skip
