"""What an operator sets, read from the environment once, in `__main__` or a composition root."""

import os
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import Literal

from pydantic import Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as validated

PREFIX = "JIESU_"
BARE = ("KAFKA_BOOTSTRAP", "KAFKA_PROTOCOL", "KAFKA_MECHANISM", "KAFKA_USERNAME", "KAFKA_PASSWORD")


class SettingsError(ValueError):
    """A variable is missing or wrong; its text names each and what would be right."""


@validated(frozen=True)
class Settings:
    """Each field is the variable of that name, upper case, with `JIESU_` before it unless it is Kafka's."""

    home: Path = Path(".jiesu")
    """Where this installation keeps its data, keys and secret."""
    city: Path = Path("deploy/cities/beijing")
    """The folder of the city pack."""
    host: str = "127.0.0.1"
    port: int = 8000
    database_url: str = ""
    """postgresql://… of this service's own database."""
    database_connections: int = 8
    keys: Path | None = None
    """The file of API keys; `home`/keys.json if not set."""
    models: Path | None = None
    """Where classify keeps what it trained; `home`/models if not set. Installations may share one."""
    secret: Path | None = None
    """The file of the master secret; `home`/secret if not set."""
    files: str = ""
    """Where citizens' files are kept: a folder, or s3://bucket/prefix; `home`/files if empty."""
    s3_endpoint: str = ""
    """https://… of an S3-compatible store; Amazon's if empty. Region and credentials: AWS_REGION, AWS_ACCESS_KEY_ID…"""
    clock: str = ""
    """start,rate[,epoch] of the platform's clock; real time if empty."""
    inbox_days: int = 30
    """For how long an event's repeat is known for one; must exceed the retention of every topic."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    public_url: str = ""
    """What citizens' links begin with; http://host:port if empty."""
    sms_gateway: str = field(default="", repr=False)
    """URL of an HTTP SMS gateway; what should go by SMS fails if empty, and stays in the notices table."""
    mail_gateway: str = field(default="", repr=False)
    """The mail server citizens' mails go by, as apprise writes it: mailtos://user:password@host?from=12345@city.example."""
    language_model_url: str = field(default="", repr=False)
    """What /chat/completions of an endpoint in OpenAI's form is appended to; no language model is asked if empty."""
    language_model_key: str = field(default="", repr=False)
    """Sent to it as a bearer token, if it wants one."""
    language_model_name: str = ""
    """Which of its models is asked."""
    language_model_seconds: float = Field(default=20.0, gt=0, le=600)
    """All the time one call may take."""
    language_model_at_once: int = Field(default=4, ge=1, le=100)
    """Calls under way at a time, for each process of classify."""
    language_model_sure: float = Field(default=0.8, ge=0, le=1)
    """From which confidence, as it states it, what it chooses counts."""
    language_model_tokens_per_day: int = Field(default=2_000_000, ge=0, le=10**15)
    language_model_money_per_day: float = Field(default=20.0, ge=0, allow_inf_nan=False)
    """The most it may cost on a day of the city's, all processes together; money in the currency of the prices."""
    language_model_price_in: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    language_model_price_out: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    """Of 1,000 tokens that it reads, and that it writes."""
    classify_url: str = ""
    """Where dispatch asks classify in a dry run with text; the same process or port if empty."""
    speech_model: Path | None = None
    """The folder of a faster-whisper model; without one, no speech is read."""
    speech_sessions: int = 2
    """How many calls are transcribed live at once; each takes most of a core and 500 MB."""
    kafka_bootstrap: str = ""
    kafka_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    kafka_mechanism: str = "SCRAM-SHA-512"
    kafka_username: str | None = None
    kafka_password: str | None = field(default=None, repr=False)
    kafka_partitions: int = 6
    kafka_replication: int = 1

    def require(self, *names: str) -> None:
        """Raise SettingsError if one of these was not set."""
        missing = [variable(name) for name in names if not getattr(self, name)]
        if missing:
            raise SettingsError(f"set {' and '.join(missing)}")

    @property
    def models_folder(self) -> Path:
        """Where trained models are kept."""
        return self.models or self.home / "models"

    @property
    def keys_file(self) -> Path:
        """Where the API keys are."""
        return self.keys or self.home / "keys.json"

    @property
    def secret_file(self) -> Path:
        """Where the master secret is."""
        return self.secret or self.home / "secret"

    @property
    def file_store(self) -> str:
        """Where citizens' files are."""
        return self.files or str(self.home / "files")

    @property
    def notify_file(self) -> Path:
        """Where it is written which ways lead to which address."""
        return self.home / "notify.toml"

    @property
    def base_url(self) -> str:
        """What links to this platform begin with."""
        return self.public_url or f"http://{self.host}:{self.port}"


_SETTINGS = TypeAdapter(Settings)


def variable(name: str) -> str:
    """Return the environment variable that sets field `name`."""
    return name.upper() if name.upper() in BARE else PREFIX + name.upper()


_ELSEWHERE = {
    "JIESU_REQUIRE_KAFKA", "JIESU_REQUIRE_BROWSER", "JIESU_REQUIRE_MEDIA", "JIESU_REQUIRE_SENTENCES",
    "JIESU_CHAOS_SEED",
}  # fmt: skip
"""Read by the test suite."""


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """Return the settings in the environment. Raises SettingsError naming every wrong variable."""
    known = {variable(name): name for name in Settings.__dataclass_fields__}
    unknown = [key for key in environment if key.startswith(PREFIX) and key not in known and key not in _ELSEWHERE]
    if unknown:
        raise SettingsError(f"unknown settings {', '.join(sorted(unknown))}; known are {', '.join(sorted(known))}")
    try:
        return _SETTINGS.validate_python({known[k]: v for k, v in environment.items() if k in known and v})
    except ValidationError as error:
        problems = [f"{variable(str(e['loc'][0]))}: {e['msg']}, got {e['input']!r}" for e in error.errors()]
        raise SettingsError("; ".join(problems)) from error
