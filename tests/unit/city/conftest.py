"""A pack small enough to spoil on purpose, and Beijing's own."""

from pathlib import Path

import pytest

from libs.common.city.catalogue import COLUMNS
from libs.common.city.pack import PLACE_COLUMNS, UNIT_COLUMNS, City, load_city
from libs.common.city.places import PlaceResolver
from libs.common.city.scope import COLUMNS as BODY_COLUMNS

SETTINGS = """
[city]
code = "small"
name = { zh = "小城", en = "Small" }
timezone = "Asia/Shanghai"
default_language = "zh"
[bounds]
south = 39.0
west = 115.0
north = 41.0
east = 117.0
[policy]
elderly_response = "PT24H"
[policy.limits]
urgent = { response = "PT30M", completion = "PT2H" }
livelihood = { response = "PT2H", completion = "PT24H" }
general = { response = "P2D", completion = "P7D" }
complex = { response = "P2D", completion = "P15D" }
[policy.lights]
reminders = [0.5, 0.8, 0.95]
yellow = 1.0
red = 1.5
[policy.calendar]
count = "natural"
weekdays = [1, 2, 3, 4, 5]
opens = 09:00:00
closes = 18:00:00
[rates]
responded = 0.3
solved = 0.4
satisfied = 0.3
callback_window = "P7D"
reopen_limit = 2
[routing]
low_confidence = 0.6
hold_limit = "PT30M"
returns_before_centre = 2
"""

EMERGENCIES = """
[guards]
before = "怕$"
after = "的"
over = "去年"
now = "现在"
unreal = "演习"
leisure = "尊敬的"
[[numbers]]
number = "119"
name = { zh = "火警", en = "fire" }
words = "着火了"
unless = "火锅"
said = ["着火了"]
"""

SCOPE = """
[[accepted]]
code = "help"
name = { zh = "求助", en = "Help" }
text = { zh = "生活中的难处", en = "Trouble in daily life" }
[[elsewhere]]
code = "litigation"
name = { zh = "诉讼", en = "Lawsuits" }
text = { zh = "法院的事", en = "What is before a court" }
bodies = ["out-court"]
[[grounds]]
code = "test"
verdict = "test"
name = { zh = "测试", en = "A test" }
evidence = { zh = "调试记录", en = "The record of a trial" }
alone = ["测试"]
"""

BODIES = """
out-court,小城法院,Court,phone,12368,
out-city,事发地12345,The line of the place,system,,
"""

UNITS = """
centre,小城热线中心,Small Centre,热线中心,centre,,,12345,24h
dept-water,小城水务局,Water Bureau,水务局,department,centre,,,Mo-Fr 09:00-18:00
co-water,小城自来水公司,Waterworks,自来水,company,dept-water,,,24h
d-990101,东区,East District,东,district,centre,990101,,24h
s-990101001,河沿街道,Heyan Subdistrict,河沿,street,d-990101,990101,,24h
"""

PLACES = """
河沿花园,estate,s-990101001,990101
邻城,outside,,
"""

QUESTIONS = (
    "water-01-01,供水,自来水,停水,no water,company,co-water,dept-water,livelihood,help,便利性,11-2,,"
    "几点停的 | 哪栋楼,照片,欠费归缴费,没水了 | 停水了 | 不出水 | 一滴水都没有\n"
    "water-01-02,供水,自来水,水黄,yellow water,street,,,general,complaint,宜居性,,yes,"
    "多久了,照片,,水发黄 | 水有锈 | 水不清 | 水浑得很\n"
)


@pytest.fixture
def small_pack(tmp_path: Path) -> Path:
    (tmp_path / "catalogue").mkdir()
    (tmp_path / "city.toml").write_text(SETTINGS, encoding="utf-8")
    (tmp_path / "emergencies.toml").write_text(EMERGENCIES, encoding="utf-8")
    (tmp_path / "scope.toml").write_text(SCOPE, encoding="utf-8")
    write_table(tmp_path / "outward.csv", BODY_COLUMNS, BODIES)
    write_table(tmp_path / "units.csv", UNIT_COLUMNS, UNITS)
    write_table(tmp_path / "places.csv", PLACE_COLUMNS, PLACES)
    write_table(tmp_path / "catalogue" / "01-water.csv", COLUMNS, QUESTIONS)
    return tmp_path


def write_table(path: Path, columns: tuple[str, ...], rows: str) -> None:
    path.write_text("\n".join([",".join(columns), *rows.strip().splitlines()]) + "\n", encoding="utf-8")


@pytest.fixture(scope="session")
def beijing() -> City:
    return load_city(Path("deploy/cities/beijing"))


@pytest.fixture(scope="session")
def resolver(beijing: City) -> PlaceResolver:
    return PlaceResolver(beijing)
