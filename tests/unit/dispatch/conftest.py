"""Beijing's router, built once."""

import pytest

from libs.common.city.pack import City, load_city
from services.dispatch.routing import Router
from tests.support.stages import CITY


@pytest.fixture(scope="session")
def city() -> City:
    return load_city(CITY)


@pytest.fixture(scope="session")
def router(city: City) -> Router:
    return Router(city)
