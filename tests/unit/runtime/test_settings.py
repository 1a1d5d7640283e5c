"""Settings: read once, and whatever is wrong is named with what would be right."""

from pathlib import Path

import pytest

from libs.common.runtime.settings import Settings, SettingsError, read_settings, variable


def test_an_empty_environment_is_the_embedded_form_on_this_machine() -> None:
    settings = read_settings({})
    assert settings == Settings()
    assert (settings.host, settings.base_url) == ("127.0.0.1", "http://127.0.0.1:8000")
    assert (settings.keys_file, settings.secret_file) == (Path(".jiesu/keys.json"), Path(".jiesu/secret"))


def test_each_field_is_the_variable_of_its_name_and_kafkas_keep_theirs() -> None:
    settings = read_settings(
        {
            "JIESU_PORT": "9000",
            "JIESU_HOME": "/srv/jiesu",
            "KAFKA_BOOTSTRAP": "k:9092",
            "PATH": "/bin",
            "JIESU_KEYS": "/k",
        }
    )
    assert (settings.port, settings.home, settings.kafka_bootstrap) == (9000, Path("/srv/jiesu"), "k:9092")
    assert (settings.keys_file, settings.secret_file) == (Path("/k"), Path("/srv/jiesu/secret"))


def test_every_setting_has_a_variable_of_its_own() -> None:
    names = list(Settings.__dataclass_fields__)
    assert len({variable(name) for name in names}) == len(names)
    assert {variable("kafka_password"), variable("kafka_partitions")} == {"KAFKA_PASSWORD", "JIESU_KAFKA_PARTITIONS"}


def test_an_unknown_variable_is_named_with_those_there_are() -> None:
    with pytest.raises(SettingsError, match=r"unknown settings JIESU_PROT; known are .*JIESU_PORT"):
        read_settings({"JIESU_PROT": "9000", "KAFKA_HEAP_OPTS": "-Xmx1g"})


@pytest.mark.parametrize(
    ("name", "value"),
    [("JIESU_PORT", "http"), ("JIESU_LOG_LEVEL", "loud"), ("KAFKA_PROTOCOL", "TLS"), ("JIESU_KAFKA_PARTITIONS", "6.5")],
)
def test_a_wrong_value_is_named_with_what_would_be_right(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=rf"^{name}: Input should be .*, got '{value}'$"):
        read_settings({name: value})


def test_all_wrong_values_are_named_at_once() -> None:
    with pytest.raises(SettingsError, match=r"JIESU_PORT: .*; JIESU_LOG_LEVEL: .*"):
        read_settings({"JIESU_PORT": "x", "JIESU_LOG_LEVEL": "x"})


def test_what_must_be_set_is_named_by_its_variable() -> None:
    settings = read_settings({"JIESU_DATABASE_URL": "postgresql://x"})
    settings.require("database_url")
    with pytest.raises(SettingsError, match=r"^set KAFKA_BOOTSTRAP and JIESU_PUBLIC_URL$"):
        settings.require("database_url", "kafka_bootstrap", "public_url")


def test_a_password_is_not_shown() -> None:
    assert "open sesame" not in repr(read_settings({"KAFKA_PASSWORD": "open sesame"}))
