"""What a simulated city sends: fixed by its seed, believable, and about nobody who exists."""

import json
import re
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from deploy.simulator.citizens import CHANNELS, GIVEN, NO_NUMBER, SURNAMES, Citizens
from deploy.simulator.plan import Event, PlanError, Planned, event, plan, span
from libs.common.city.pack import City, load_city
from libs.common.city.places import PlaceResolver
from libs.common.runtime.privacy import Redactor
from services.intake.appeal import Appeal

START = datetime(2026, 1, 12, 7, tzinfo=ZoneInfo("Asia/Shanghai"))
SENT_PERSON = re.compile(r'"(name|phone)": "([^"]+)"')


@pytest.fixture(scope="module")
def city() -> City:
    return load_city(Path("deploy/cities/beijing"))


@pytest.fixture(scope="module")
def citizens(city: City) -> Citizens:
    return Citizens(city)


def _planned(citizens: Citizens, seed: int, count: int = 200, *events: Event, start: datetime = START) -> list[Planned]:
    return list(islice(plan(citizens, seed, start, 0.5, events), count))


def test_equal_seeds_send_equal_appeals(citizens: Citizens) -> None:
    assert _planned(citizens, 7) == _planned(citizens, 7)
    assert _planned(citizens, 7) != _planned(citizens, 8)


def test_every_appeal_is_one_that_intake_takes(citizens: Citizens) -> None:
    for planned in _planned(citizens, 1, 500):
        Appeal.model_validate_json(json.dumps(planned.body | {"external_ref": planned.ref}))


def test_no_two_appeals_of_two_runs_are_taken_for_one(citizens: Citizens) -> None:
    later = _planned(citizens, 1, start=START + timedelta(days=1))
    refs = [planned.ref for planned in [*_planned(citizens, 1), *later]]
    assert len(set(refs)) == len(refs)


def test_nobody_in_it_exists(citizens: Citizens) -> None:
    """Names are a surname and a solar term; no telephone number in China begins as theirs do."""
    sent = json.dumps([planned.body for planned in _planned(citizens, 2, 500)], ensure_ascii=False)
    people = SENT_PERSON.findall(sent)
    assert {name[0] for kind, name in people if kind == "name"} <= set(SURNAMES)
    assert {name[1:] for kind, name in people if kind == "name"} <= set(GIVEN)
    assert all(number.startswith(NO_NUMBER) and len(number) == 11 for kind, number in people if kind == "phone")
    assert not re.search(r"(?<!\d)1[3-9]\d{9}(?!\d)", sent)


def test_what_a_citizen_says_of_themselves_is_found_by_the_redactor(citizens: Citizens) -> None:
    told = [p.body for p in _planned(citizens, 3, 500) if "我叫" in p.body["text"] and "phone" in p.body["reporter"]]
    assert told
    for body in told:
        person = body["reporter"]
        redacted = Redactor(tuple(person.items())).redact(body["text"])
        assert person["phone"] not in redacted
        assert person["name"] not in redacted


def test_places_are_real_and_mostly_understood(citizens: Citizens, city: City) -> None:
    resolver = PlaceResolver(city)
    texts = [planned.body["text"] for planned in _planned(citizens, 4, 300)]
    found = [place for text in texts if (place := resolver.resolve(text)) and place.district]
    assert len(found) > 0.8 * len(texts)


def test_appeals_come_in_order_and_about_as_often_as_asked(citizens: Citizens) -> None:
    day = [planned.at for planned in _planned(citizens, 5, 2000) if planned.at < START + timedelta(days=1)]
    assert day == sorted(day)
    assert 500 < len(day) < 1000, "0.5 a minute is 720 a day"


def test_nights_are_quieter_than_mornings(citizens: Citizens) -> None:
    hours = [planned.at.hour for planned in _planned(citizens, 6, 2000)]
    assert hours.count(3) * 4 < hours.count(10)


def test_what_has_a_season_hardly_comes_out_of_it(citizens: Citizens, city: City) -> None:
    of_winter = {q.code for q in city.catalogue if q.season and 1 in q.season and 7 not in q.season}

    def heating(month: int) -> int:
        planned = _planned(citizens, 1, 1000, start=START.replace(month=month))
        return sum(p.code in of_winter for p in planned)

    assert heating(7) * 5 < heating(1)


def test_some_repeat_some_change_their_mind_and_some_are_in_danger(citizens: Citizens) -> None:
    planned = _planned(citizens, 1, 3000)
    assert any(p.ref.endswith("-again") for p in planned)
    assert any(p.withdraw for p in planned)
    assert any(p.code is None for p in planned)
    assert {p.body["channel"] for p in planned} == set(CHANNELS)


def test_a_burst_strikes_few_neighbouring_streets_within_minutes(citizens: Citizens, city: City) -> None:
    burst = [p for p in _planned(citizens, 1, 200, event("heating-failure@10m:60")) if "burst" in p.ref]
    assert len(burst) == 60
    assert {p.code for p in burst} == {"heating-01-03"}
    assert START + timedelta(minutes=10) <= burst[0].at <= burst[-1].at <= START + timedelta(minutes=20)
    resolver = PlaceResolver(city)
    districts = {place.district for p in burst if (place := resolver.resolve(p.body["text"])) and place.district}
    assert len(districts) == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [("90s", timedelta(seconds=90)), ("1.5h", timedelta(hours=1.5)), ("2d", timedelta(days=2))],
)
def test_durations_are_read(text: str, expected: timedelta) -> None:
    assert span(text) == expected


@pytest.mark.parametrize("text", ["", "10", "10 m", "h", "-1h"])
def test_a_wrong_duration_says_how_to_write_one(text: str) -> None:
    with pytest.raises(PlanError, match="write 90s, 10m, 2h or 1d"):
        span(text)


def test_any_question_of_the_city_can_be_an_event_and_no_other(citizens: Citizens) -> None:
    assert event("water-01-01@2h:5") == Event("water-01-01", timedelta(hours=2), 5)
    with pytest.raises(PlanError, match=r"no question 'flying-saucer'.*heating-failure"):
        _planned(citizens, 1, 1, event("flying-saucer@1m:1"))
    with pytest.raises(PlanError, match="such as heating-failure@10m:500"):
        event("heating-failure")
