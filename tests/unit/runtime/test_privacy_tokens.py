from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.runtime.privacy import Pseudonyms, QueryCodes

PSEUDONYMS = Pseudonyms(b"p" * 32)
CODES = QueryCodes(b"q" * 32)
TICKET = UUID("01937f3c-0000-7000-8000-000000000001")


@pytest.mark.parametrize(
    "written",
    [
        "138 0013 8000",
        "138-0013-8000",
        "+86 13800138000",
        "008613800138000",
        "8613800138000",
        "１３８００１３８０００",
        "013800138000",
    ],
)
def test_one_mobile_number_has_one_pseudonym_however_it_is_written(written: str) -> None:
    assert PSEUDONYMS.of("phone", written) == PSEUDONYMS.of("phone", "13800138000")


@pytest.mark.parametrize("written", ["+86 10 6400 1234", "0086-10-64001234", "(010) 6400-1234"])
def test_one_landline_has_one_pseudonym_from_home_and_abroad(written: str) -> None:
    assert PSEUDONYMS.of("phone", written) == PSEUDONYMS.of("phone", "010-64001234")


def test_a_local_number_that_opens_like_the_country_code_is_kept_whole() -> None:
    assert PSEUDONYMS.of("phone", "86001234") != PSEUDONYMS.of("phone", "001234")


@pytest.mark.parametrize("written", [" 张 三 ", "张　三"])
def test_one_name_has_one_pseudonym_however_it_is_spaced(written: str) -> None:
    assert PSEUDONYMS.of("name", written) == PSEUDONYMS.of("name", "张三")


def test_a_pseudonym_has_a_prefix_and_128_bits() -> None:
    assert len(PSEUDONYMS.of("phone", "13800138000")) == len("p_") + 26
    assert PSEUDONYMS.of("phone", "13800138000").startswith("p_")


def test_kinds_and_keys_keep_pseudonyms_apart() -> None:
    value = "13800138000"
    others = {PSEUDONYMS.of("wechat", value), Pseudonyms(b"r" * 32).of("phone", value)}
    assert len(others | {PSEUDONYMS.of("phone", value)}) == 3


@pytest.mark.parametrize(("kind", "value"), [("phone", "none"), ("phone", ""), ("name", " \u3000")])
def test_those_who_gave_nothing_are_not_one_person(kind: str, value: str) -> None:
    with pytest.raises(ValueError, match=kind):
        PSEUDONYMS.of(kind, value)


@given(value=st.text())
def test_a_pseudonym_never_shows_its_value(value: str) -> None:
    folded = "".join(value.split())
    if len(folded) > 4:
        assert folded not in PSEUDONYMS.of("name", value)


@given(ticket=st.uuids())
def test_a_query_code_is_ten_characters_nobody_can_mistake(ticket: UUID) -> None:
    code = CODES.of(ticket)
    assert len(code) == 10
    assert set(code) <= set("0123456789ABCDEFGHJKMNPQRSTVWXYZ")


@given(ticket=st.uuids())
def test_a_query_code_matches_as_people_write_and_hear_it(ticket: UUID) -> None:
    code = CODES.of(ticket)
    heard = code.replace("0", "O").replace("1", "l").lower()
    assert CODES.matches(ticket, f" {heard[:5]}-{heard[5:]} ")
    assert CODES.matches(ticket, code.replace("1", "I"))


@given(ticket=st.uuids(), code=st.text())
def test_no_other_code_matches(ticket: UUID, code: str) -> None:
    assert not CODES.matches(ticket, code)


def test_a_code_opens_its_own_ticket_only() -> None:
    assert not CODES.matches(TICKET, CODES.of(UUID(int=TICKET.int + 1)))
