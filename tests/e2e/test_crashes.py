"""kill -9 under load, in both forms: nothing accepted is lost, nothing is done twice, each ticket keeps its order."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from libs.common.local.kafka import LocalKafka
from libs.common.local.ports import free_port
from libs.common.local.postgres import PrivatePostgres
from services.cli.processes import NAMES
from tests.support.crashes import Load, bootstrap_of, killed_and_started_again, out_of_order, settles
from tests.support.operators import Operator, five_processes, operator

BETWEEN = 60
"""How many more appeals are accepted before the next kill."""


@pytest.fixture
def embedded(open_folder: Path) -> Iterator[Operator]:
    with operator(open_folder, free_port()) as one:
        yield one


@pytest.fixture
def five(open_folder: Path, kafka_server: LocalKafka) -> Iterator[Operator]:
    """Five processes. `kafka_server` only makes the test skip loudly where no broker can be had."""
    with five_processes(open_folder) as one:
        yield one


def test_the_embedded_form_loses_and_doubles_nothing_when_killed_again_and_again(embedded: Operator) -> None:
    accepted: list[str] = []
    for with_database in (False, True, False):
        with embedded.running() as child:
            with Load(embedded).going() as load:
                load.until_more(BETWEEN)
                child.kill()
                child.wait()
                if with_database:
                    embedded.kill_postgres("postgres")
            accepted += load.accepted
    with embedded.running():
        settles(PrivatePostgres(embedded.home / "postgres").dsn, accepted)


def test_each_of_the_five_processes_is_killed_under_load_and_nothing_is_lost_or_doubled(five: Operator) -> None:
    with ExitStack() as again:
        with Load(five).going() as load:
            for name in NAMES:
                load.until_more(BETWEEN)
                again.enter_context(killed_and_started_again(five, name))
            load.until_more(BETWEEN)
        settles(PrivatePostgres(five.home / "up" / "postgres").dsn, load.accepted)
        assert asyncio.run(out_of_order(bootstrap_of(five))) == []
