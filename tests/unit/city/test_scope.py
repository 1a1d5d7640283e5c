"""What the line accepts and who takes the rest: read whole, or refused with every mistake named."""

from pathlib import Path

import pytest

from libs.common.city.emergencies import load_emergencies
from libs.common.city.pack import City, load_city
from libs.common.city.problems import CityError, Problems


def spoil(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_a_pack_gives_scope_bodies_and_grounds(small_pack: Path) -> None:
    city = load_city(small_pack)
    assert [entry.code for entry in city.scope.accepted] == ["help"]
    assert city.scope.elsewhere[0].bodies == ("out-court",)
    assert city.bodies["out-court"].phone == "12368"
    ground = city.scope.ground("test")
    assert ground is not None
    assert (ground.verdict, ground.alone) == ("test", ("测试",))
    assert city.scope.ground("none") is None


def test_a_pack_without_a_scope_has_none(small_pack: Path) -> None:
    (small_pack / "scope.toml").unlink()
    (small_pack / "outward.csv").unlink()
    city = load_city(small_pack)
    assert (city.scope.accepted, dict(city.bodies)) == ((), {})


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("scope.toml", '"out-court"', '"out-moon"', "scope.toml elsewhere.litigation: 'out-moon' should be a code in"),
        ("scope.toml", 'verdict = "test"', 'verdict = "ugly"', "scope.toml grounds.0.verdict"),
        ("scope.toml", "[[accepted]]", "[[acepted]]", "scope.toml acepted"),
        ("scope.toml", "[[accepted]]", "[[accepted", "scope.toml: is not TOML"),
        ("outward.csv", "12368", "call us", "outward.csv:2 phone: should be a number such as 12368"),
        ("outward.csv", "phone,12368,", "web,,", "outward.csv:2 web: is empty"),
        ("outward.csv", "system,,", "system,,http://x", "outward.csv:3 web: should begin with https://"),
        ("outward.csv", "out-city", "out-court", "outward.csv:3 code: 'out-court' stands here twice"),
        ("emergencies.toml", 'words = "着火了"', 'words = "(着火了"', "emergencies.toml numbers.0.words"),
        ("emergencies.toml", 'words = "着火了"', 'words = "着火(?!吗)"', "should be a regular expression of RE2"),
        ("emergencies.toml", 'over = "去年"', 'over = "[去年"', "emergencies.toml guards.over"),
        ("emergencies.toml", "unreal", "unrael", "emergencies.toml guards.unrael"),
    ],
)
def test_a_mistake_is_named(small_pack: Path, file: str, old: str, new: str, said: str) -> None:
    spoil(small_pack / file, old, new)
    with pytest.raises(CityError) as refused:
        load_city(small_pack)
    assert said in "\n".join(refused.value.problems)


def test_a_code_stands_once(small_pack: Path) -> None:
    text = (small_pack / "scope.toml").read_text(encoding="utf-8")
    (small_pack / "scope.toml").write_text(text + text[text.index("[[grounds]]") :], encoding="utf-8")
    with pytest.raises(CityError, match=r"scope\.toml grounds: 'test' stands here twice"):
        load_city(small_pack)


def test_an_emergency_file_that_is_no_toml_is_told(tmp_path: Path) -> None:
    (tmp_path / "emergencies.toml").write_text("[[numbers", encoding="utf-8")
    problems = Problems()
    assert load_emergencies(tmp_path / "emergencies.toml", problems) is None
    assert "is not TOML" in problems.found[0]


def test_beijing_names_where_else_to_turn(beijing: City) -> None:
    assert {"litigation", "petition", "arbitration", "secrets", "discipline", "military", "emergency"} <= {
        entry.code for entry in beijing.scope.elsewhere
    }
    assert all(body.phone or body.web or body.how == "system" for body in beijing.bodies.values())


def test_beijing_passes_on_to_petition_courts_provinces_counties_and_other_cities(beijing: City) -> None:
    kinds = (
        {"out-petition", "out-petition-state"},
        {"out-court", "out-procuratorate"},
        {"out-hebei", "out-tianjin", "out-inner-mongolia", "out-province"},
        {"out-sanhe", "out-dachang", "out-xianghe", "out-county"},
        {"out-langfang", "out-baoding", "out-city"},
    )
    assert set().union(*kinds) <= beijing.bodies.keys()
