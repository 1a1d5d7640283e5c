"""Records of another system as appeals: files of every kind, columns, lines."""

import gzip
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from services.cli.records import ColumnMap, RecordsError, RowError, Source, map_columns, open_source
from services.intake.appeal import Appeal

BEIJING = ZoneInfo("Asia/Shanghai")
TABLE = '编号,主题,时间,内容\nA1,停水,2019/2/28 11:25:05,"家里\n没有水"\n,路灯,2019/3/1 8:00:00,路灯不亮\n'


def _file(folder: Path, text: str = TABLE, encoding: str = "utf-8", name: str = "records.csv") -> Path:
    path = folder / name
    path.write_bytes(gzip.compress(text.encode(encoding)) if name.endswith(".gz") else text.encode(encoding))
    return path


def _map(source: Source, *maps: str, channel: str = "web", ref: str = "", received: bool = False) -> ColumnMap:
    return map_columns(source, maps, channel, ref, "", BEIJING, received=received)


def test_a_record_is_known_by_the_line_it_begins_on(tmp_path: Path) -> None:
    assert [(line, row["编号"]) for line, row in open_source(_file(tmp_path))] == [(2, "A1"), (4, "")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_the_encoding_is_found(tmp_path: Path, encoding: str) -> None:
    source = open_source(_file(tmp_path, encoding=encoding))
    assert source.columns == ("编号", "主题", "时间", "内容")


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_delimiter_is_found(tmp_path: Path, delimiter: str) -> None:
    source = open_source(_file(tmp_path, delimiter.join("abc") + "\n" + delimiter.join("123") + "\n"))
    assert [row for _, row in source] == [{"a": "1", "b": "2", "c": "3"}]


def test_a_compressed_file_is_the_same_as_its_content(tmp_path: Path) -> None:
    plain, packed = open_source(_file(tmp_path)), open_source(_file(tmp_path, name="records.csv.gz"))
    assert plain.digest == packed.digest
    assert list(plain) == list(packed)


@pytest.mark.parametrize("text", ["", "a,b\n"])
def test_a_file_without_records_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(RecordsError):
        open_source(_file(tmp_path, text))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecordsError, match=r"absent\.csv"):
        open_source(tmp_path / "absent.csv")


def test_columns_become_an_appeal_that_intake_takes(tmp_path: Path) -> None:
    source = open_source(_file(tmp_path))
    columns = _map(source, "text=内容", "title=主题", "occurred_at=时间", ref="编号", received=True)
    first, second = (columns.appeal(source, line, row) for line, row in source)
    assert first == {
        "channel": "web", "text": "家里\n没有水", "title": "停水", "external_ref": "A1",
        "occurred_at": "2019-02-28T11:25:05+08:00", "received_at": "2019-02-28T11:25:05+08:00",
    }  # fmt: skip
    assert second["external_ref"] == f"{source.digest}:4"
    assert Appeal.model_validate(first).title == "停水"


def test_a_person_and_a_point_are_put_together(tmp_path: Path) -> None:
    source = open_source(_file(tmp_path, "x,who,call,n,e\n断电,张立春,10000000001,39.9,116.4\n"))
    columns = _map(source, "text=x", "name=who", "phone=call", "lat=n", "lon=e", channel="phone")
    appeal = columns.appeal(source, *next(iter(source)))
    assert appeal["reporter"] == {"name": "张立春", "phone": "10000000001"}
    assert appeal["location"] == {"lat": 39.9, "lon": 116.4}


def test_a_field_named_twice_joins_its_columns_and_a_mapped_channel_wins(tmp_path: Path) -> None:
    source = open_source(_file(tmp_path, "kind,more,by\nNoise,Loud music,phone\nPothole,,\n"))
    columns = _map(source, "text=kind", "text=more", "channel=by")
    appeals = [columns.appeal(source, line, row) for line, row in source]
    assert [(a["text"], a["channel"]) for a in appeals] == [("Noise Loud music", "phone"), ("Pothole", "web")]


def test_a_wrong_cell_names_its_field_and_not_what_stands_there(tmp_path: Path) -> None:
    source = open_source(_file(tmp_path, "x,at,n\n断电,2019/2/28,王谷雨\n"))
    with pytest.raises(RowError, match="lat: is not a number") as refused:
        _map(source, "text=x", "lat=n").appeal(source, *next(iter(source)))
    assert "王谷雨" not in str(refused.value)


@pytest.mark.parametrize(
    ("maps", "told"),
    [
        (("text=没有",), "there is no column '没有'; there are 编号, 主题"),
        (("title=主题",), "which column is the text"),
        (("words=内容",), "write field=column with a field of text, title"),
        (("text",), "write field=column"),
        (("text=内容", "occurred_at=主题"), "--date-format"),
    ],
)
def test_a_wrong_map_says_what_would_be_right(tmp_path: Path, maps: tuple[str, ...], told: str) -> None:
    with pytest.raises(RecordsError, match=told):
        _map(open_source(_file(tmp_path)), *maps)


def test_an_unknown_channel_is_told_before_anything_is_sent(tmp_path: Path) -> None:
    with pytest.raises(RecordsError, match="--channel fax: there are phone, web"):
        _map(open_source(_file(tmp_path)), "text=内容", channel="fax")


def test_the_past_needs_its_dates(tmp_path: Path) -> None:
    with pytest.raises(RecordsError, match="occurred_at"):
        _map(open_source(_file(tmp_path)), "text=内容", received=True)
