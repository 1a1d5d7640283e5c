"""A bounded run of random faults under load, the same for the same seed: JIESU_CHAOS_SEED, 1 by default.

Each fault strikes one of the five processes or the database: killed and started again, or stopped for some seconds as a
machine out of memory or a paused virtual machine would be. Afterwards nothing accepted may be lost or doubled.
"""

import asyncio
import os
import random
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from libs.common.local.kafka import LocalKafka
from libs.common.local.postgres import PrivatePostgres
from services.cli.processes import NAMES
from tests.support.crashes import Load, bootstrap_of, killed_and_started_again, out_of_order, process_of, settles
from tests.support.operators import Operator, five_processes

FAULTS = 12
STANDSTILL_SECONDS = (0.5, 6.0)
BETWEEN = 40
"""How many more appeals are accepted before the next fault."""


@pytest.fixture
def five(open_folder: Path, kafka_server: LocalKafka) -> Iterator[Operator]:
    """Five processes. `kafka_server` only makes the test skip loudly where no broker can be had."""
    with five_processes(open_folder) as one:
        yield one


@pytest.mark.timeout(900)
def test_random_faults_lose_and_double_nothing(five: Operator) -> None:
    seed = int(os.environ.get("JIESU_CHAOS_SEED", "1"))
    chance = random.Random(seed)
    postgres = PrivatePostgres(five.home / "up" / "postgres")
    with ExitStack() as again:
        with Load(five).going() as load:
            for number in range(FAULTS):
                load.until_more(BETWEEN)
                fault, name = chance.choice(("kill", "stop", "database")), chance.choice(NAMES)
                print(f"seed {seed}, fault {number + 1}: {fault} {name if fault != 'database' else ''}")  # noqa: T201
                if fault == "kill":
                    again.enter_context(killed_and_started_again(five, name))
                elif fault == "stop":
                    _stand_still(five, name, chance.uniform(*STANDSTILL_SECONDS))
                else:
                    five.kill_postgres("up/postgres")
                    postgres.start()
            load.until_more(BETWEEN)
        started = time.monotonic()
        settles(postgres.dsn, load.accepted)
        print(f"{len(load.accepted)} accepted, all settled {time.monotonic() - started:.1f} s later")  # noqa: T201
        assert asyncio.run(out_of_order(bootstrap_of(five))) == []


def _stand_still(five: Operator, name: str, seconds: float) -> None:
    process = process_of(five, name)
    process.send_signal(signal.SIGSTOP)
    try:
        time.sleep(seconds)
    finally:
        process.send_signal(signal.SIGCONT)
