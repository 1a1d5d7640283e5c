"""Runs one service as a process of its own: `python -m services.intake`."""

import asyncio
import sys

import uvloop

from libs.common.messaging.kafka import KafkaAddress, KafkaBus
from libs.common.runtime.app import process_app
from libs.common.runtime.clock import Clock
from libs.common.runtime.process import PortTakenError, Stage, bind, serve, stop_stages
from libs.common.runtime.service import Service
from libs.common.runtime.settings import Settings, SettingsError, read_settings
from libs.common.runtime.telemetry import configure_logs


def run(service: Service) -> None:
    """Run a service on Kafka and its own database until it is told to stop. Exits with 2 on wrong settings."""
    try:
        settings = read_settings()
        settings.require("kafka_bootstrap", "database_url")
        configure_logs(settings.log_level)
        uvloop.run(_run(service, settings))
    except (SettingsError, PortTakenError) as error:
        print(f"jiesu {service.name}: {error}", file=sys.stderr)  # noqa: T201 before there is a log
        sys.exit(2)


def kafka_address(settings: Settings) -> KafkaAddress:
    """Return where the brokers are."""
    return KafkaAddress(
        settings.kafka_bootstrap, settings.kafka_protocol, settings.kafka_mechanism,
        settings.kafka_username, settings.kafka_password,
    )  # fmt: skip


async def _run(service: Service, settings: Settings) -> None:
    listening = bind(settings.host, settings.port)
    bus = KafkaBus(kafka_address(settings), f"jiesu-{service.name}")
    stage = await Stage.start(service, settings, bus, Clock.parse(settings.clock))
    try:
        await serve(process_app([stage]), listening)
    finally:
        await stop_stages([stage])
        await bus.close()
        await asyncio.sleep(0)
