"""returns.toml and the rules that rulings propose: read, checked, and written as routing.toml has them."""

from dataclasses import replace
from pathlib import Path

import pytest

from libs.common.city.pack import City
from libs.common.city.problems import Problems
from libs.common.city.returns import FILE, GENERAL, load_returns
from libs.common.city.rules import Known, read_rules
from services.dispatch.domain.proposals import Proposal, conditions, proposed_rule, with_rule
from tests.support.stages import CITY, NOON

PROPOSAL = Proposal(
    proposal_id="0123456789abcdef", rule="duty", from_code="co-heating", from_name="热力", to_code="dept-housing",
    to_name="住建", category=("供热采暖", "供热质量"), codes=("heating-01-01", "heating-01-02"), districts=("110105",),
    streets=("s-110105026", "s-110105025"), tickets=3, numbers=("1", "2", "3"), first_at=NOON, last_at=NOON,
)  # fmt: skip
WHY = ('3件裁定均由{unit}主办"', "3 rulings: {unit} leads")


def problems_of(folder: Path, text: str) -> list[str]:
    problems = Problems()
    (folder / FILE).write_text(text, encoding="utf-8")
    load_returns(folder, problems)
    return problems.found


def test_a_pack_without_the_file_has_the_general_one(tmp_path: Path) -> None:
    problems = Problems()
    assert load_returns(tmp_path, problems) == load_returns(CITY, problems)
    assert problems.found == []


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('general = "PT24H"\ncomplex = "PT24H"', 'general = "PT24H"', "each of urgent"),
        ('code = "unclear"', 'code = "duplicate"', "stand here once"),
        ('code = "unclear"', 'code = "no_time"', "not_our_duty"),
        ("on_the_spot", "on_spot", "on_spot"),
        ("rulings = 3", "rulings = 1", "rulings"),
    ],
)
def test_what_is_wrong_in_it_is_told(tmp_path: Path, old: str, new: str, told: str) -> None:
    found = problems_of(tmp_path, GENERAL.read_text(encoding="utf-8").replace(old, new, 1))
    assert any(told in problem for problem in found), found


def test_a_proposed_rule_is_as_narrow_as_its_evidence() -> None:
    assert conditions(PROPOSAL) == {"category": PROPOSAL.codes, "district": ("110105",)}
    one = replace(PROPOSAL, streets=("s-110105026",))
    assert conditions(one) == {"category": PROPOSAL.codes, "street": ("s-110105026",)}
    nowhere = replace(PROPOSAL, districts=("",), streets=("",), codes=tuple(f"heating-01-{n:02}" for n in range(1, 12)))
    assert conditions(nowhere) == {"category": ["供热采暖/供热质量"]}


def test_a_proposed_rule_stands_before_the_one_it_puts_right_and_the_rules_hold_with_it(city: City) -> None:
    rule = proposed_rule(PROPOSAL, {"duty", "ruled_01234567"}, WHY)
    problems = Problems()
    read = read_rules(
        "routing.toml", with_rule(city.rules, "duty", rule).encode(), Known(city.units, city.catalogue), problems
    )
    assert problems.found == []
    assert read is not None
    ids = [one.id for one in read.rules]
    assert ids.index("ruled_01234567_2") + 1 == ids.index("duty")
    new = read.rules[ids.index("ruled_01234567_2")]
    assert (new.lead, new.why.zh, new.category) == ("dept-housing", WHY[0], PROPOSAL.codes)


def test_a_rule_that_is_gone_is_put_right_at_the_top(city: City) -> None:
    text = with_rule(city.rules, "long_gone", proposed_rule(PROPOSAL, (), WHY))
    read = read_rules("routing.toml", text.encode(), Known(city.units, city.catalogue), Problems())
    assert read is not None
    assert read.rules[0].id == "ruled_01234567"
