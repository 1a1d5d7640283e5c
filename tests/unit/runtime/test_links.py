"""Review links: one ticket, one round, one key."""

from uuid import UUID

from libs.common.runtime.links import ReviewLinks

TICKET, OTHER = UUID(int=7), UUID(int=8)
LINKS = ReviewLinks(b"k" * 32, "https://12345.example/")


def test_a_link_carries_the_ticket_the_round_and_a_token_that_opens_it() -> None:
    token = LINKS.token(TICKET, 2)
    assert LINKS.url(TICKET, 2) == f"https://12345.example/feedback/v1/review/{TICKET}/2/{token}"
    assert LINKS.valid(TICKET, 2, token)


def test_a_token_opens_no_other_ticket_or_round() -> None:
    token = LINKS.token(TICKET, 1)
    assert not LINKS.valid(OTHER, 1, token)
    assert not LINKS.valid(TICKET, 2, token)


def test_a_token_of_another_key_or_of_no_sense_opens_nothing() -> None:
    other = ReviewLinks(b"x" * 32, "https://12345.example")
    for token in (other.token(TICKET, 1), "", "好评", LINKS.token(TICKET, 1) + "="):
        assert not LINKS.valid(TICKET, 1, token)


def test_services_that_share_the_key_agree_whatever_their_address() -> None:
    assert ReviewLinks(b"k" * 32, "http://127.0.0.1:8000").token(TICKET, 1) == LINKS.token(TICKET, 1)
