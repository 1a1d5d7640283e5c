"""The commands."""

import sys

import typer

from deploy.simulator.plan import PlanError
from libs.common.city.problems import CityError
from libs.common.local.home import HomeTakenError
from libs.common.local.kafka import KafkaUnavailable
from libs.common.local.postgres import PostgresError
from libs.common.runtime.database import NewerSchemaError
from libs.common.runtime.keyfile import KeysError
from libs.common.runtime.privacy import SecretsError
from libs.common.runtime.process import PortTakenError
from libs.common.runtime.settings import SettingsError, read_settings
from services.cli import catalogue, city, coverage, keys, knowledge, model, rules, vault
from services.cli.client import KeyFileError, RefusedError
from services.cli.lessons import LessonsError, evaluate, train
from services.cli.processes import Machine, NotUpError
from services.cli.records import RecordsError
from services.cli.replay import replay
from services.cli.screen import err, out, say, table, welcome
from services.cli.sending import ReplayError
from services.cli.simulate import demo, simulate

app = typer.Typer(
    help="接诉 Jiesu: a city's 12345 hotline. Settings are environment variables; .env.example lists them.",
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
)  # fmt: skip
app.add_typer(keys.app, name="keys")
app.add_typer(vault.app, name="vault")
app.add_typer(catalogue.app, name="catalogue")
app.add_typer(model.app, name="model")
app.add_typer(knowledge.app, name="knowledge")
app.add_typer(rules.app, name="rules")
app.add_typer(city.app, name="city")
app.add_typer(coverage.app, name="coverage")

EXPECTED = (
    CityError, HomeTakenError, KafkaUnavailable, KeyFileError, KeysError, LessonsError, NewerSchemaError, NotUpError,
    PlanError, PortTakenError, PostgresError, RecordsError, RefusedError, ReplayError, SecretsError, SettingsError,
    city.CityCommandError, vault.VaultCommandError,
)  # fmt: skip
"""What is told in its own words; anything else is a fault of ours and shows where it happened."""


@app.command()
def run() -> None:
    """Run the whole platform in this process until Ctrl-C."""
    from services import embedded  # noqa: PLC0415 all five services take seconds to import, which only this one needs

    settings = read_settings()
    starting = out.status("正在启动 Starting …")
    starting.start()

    def on_up() -> None:
        starting.stop()
        welcome(settings, "Ctrl-C stops it.")

    try:
        embedded.run(settings, on_up)
    finally:
        starting.stop()
    say("已停止 Stopped.")


@app.command()
def up() -> None:
    """Start five processes on this machine with Apache Kafka and PostgreSQL, and come back when all are ready."""
    settings = read_settings()
    machine = Machine(settings)
    again = machine.is_up()
    processes = machine.running() if again else machine.up(say)
    table(
        "It is up already." if again else "All are ready.",
        ("process", "pid", "address", "log"),
        [(process.name, process.pid, process.url, process.log) for process in processes],
    )
    welcome(settings, "`make down` stops it.")


@app.command()
def down() -> None:
    """Stop what `up` started; its data stays."""
    stopped = Machine(read_settings()).down(say)
    say("Stopped." if stopped else "Nothing of it ran.")


for command in (replay, simulate, demo, train, evaluate):
    app.command()(command)


def main() -> None:
    """Run the command that was asked for. Exits with 2 if it cannot be done, after saying why."""
    try:
        app()
    except EXPECTED as error:
        err.print(f"jiesu: {error}", markup=False, soft_wrap=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
