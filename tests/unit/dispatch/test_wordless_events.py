"""What is told of a ticket whose words were deleted has none of anybody's in it."""

import pytest

from libs.common.contracts.envelope import Event
from services.dispatch.domain import without_words
from services.dispatch.service import SERVICE
from tests.contract.freeze import example

TEXT = "文字"
NOT_WRITTEN = {"by", "contact", "district", "rule", "rules", "against_rule", "right_code", "helpers"}
"""Names and codes that a city, its rules and its keys give."""


@pytest.mark.parametrize("event", sorted(SERVICE.emits, key=str), ids=str)
def test_no_event_of_dispatch_keeps_what_people_wrote(event: type[Event]) -> None:
    (told,) = without_words([example(event)])
    event.model_validate(told.model_dump())
    kept = {name for name, value in told.model_dump().items() if value in (TEXT, (TEXT,))}
    assert kept <= NOT_WRITTEN
