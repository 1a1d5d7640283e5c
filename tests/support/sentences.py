"""The sentence model of classify, as scripts/setup.sh fetches it."""

import os

import pytest

from services.classify.model.meaning import ARCHIVE, Meaning


@pytest.fixture(scope="session")
def meaning() -> Meaning:
    """The sentence model; skips its tests where it was not fetched, unless JIESU_REQUIRE_SENTENCES=1."""
    found = Meaning.load(ARCHIVE)
    if found is None and os.environ.get("JIESU_REQUIRE_SENTENCES") == "1":
        pytest.fail(f"JIESU_REQUIRE_SENTENCES=1, but there is no whole {ARCHIVE}; scripts/setup.sh fetches it")
    if found is None:
        pytest.skip(f"no sentence model at {ARCHIVE}; scripts/setup.sh fetches it")
    return found
