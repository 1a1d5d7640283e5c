"""A small city of its own for tests of versions: its models are soon trained, and once for all of them."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.stages import settings_for
from tests.support.versioned import Versioned, make_small_city, versioned


@pytest.fixture(scope="session")
def small_city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the pack of the small city."""
    folder = tmp_path_factory.mktemp("city")
    make_small_city(folder)
    return folder


@pytest.fixture(scope="session")
def small_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return one home for all, so that the model is trained once."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture
async def world(fresh_database: str, small_home: Path, small_city: Path) -> AsyncIterator[Versioned]:
    """The service of the small city. Tests of other things have a world of their own."""
    settings = settings_for(small_home, fresh_database)
    async with versioned(replace(settings, city=small_city, models=small_home / "models")) as world:
        yield world
