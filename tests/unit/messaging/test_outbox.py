"""Headers as a row keeps them."""

from hypothesis import given
from hypothesis import strategies as st

from libs.common.messaging.outbox import pack_headers, unpack_headers

names = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
headers = st.lists(st.tuples(names, st.binary(max_size=60)), max_size=8)


@given(headers)
def test_headers_come_back_byte_for_byte(sent: list[tuple[str, bytes]]) -> None:
    assert list(unpack_headers(pack_headers(sent))) == sent


@given(headers)
def test_packed_headers_are_text_that_every_column_takes(sent: list[tuple[str, bytes]]) -> None:
    packed = pack_headers(sent)
    assert packed.isascii()
    assert "\0" not in packed


def test_bytes_that_are_no_text_survive() -> None:
    sent = [("a", b"\xff\xfe\x00"), ("a", b"\xed\xb2\x80\xed\xa0\x80"), ("b", "正文".encode("gb18030"))]
    assert list(unpack_headers(pack_headers(sent))) == sent
