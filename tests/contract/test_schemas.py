"""What events look like is frozen: older readers read what we say, and we read what was said before."""

import json
import re
from collections import Counter
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import jsonschema_rs
import pytest

from libs.common.contracts.envelope import Event, decode
from tests.contract.compatibility import broken_promises
from tests.contract.freeze import EXAMPLES, ID, NOON, SCHEMAS, all_events, body, example

EVENTS = all_events()
each_event = pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.type)


def _frozen(event: type[Event]) -> dict[str, Any]:
    path = SCHEMAS / f"{event.type}.json"
    assert path.exists(), "not frozen yet: run `python -m tests.contract.freeze`"
    schema: dict[str, Any] = json.loads(path.read_text())
    return schema


@each_event
def test_an_event_still_is_what_was_promised(event: type[Event]) -> None:
    assert broken_promises(_frozen(event), event.model_json_schema()) == []


@each_event
@pytest.mark.parametrize("full", [True, False], ids=["full", "bare"])
def test_what_we_say_holds_to_the_frozen_schema(event: type[Event], full: bool) -> None:
    jsonschema_rs.validate(_frozen(event), json.loads(body(example(event, full=full))))


@each_event
def test_what_was_said_before_is_still_read_whole(event: type[Event]) -> None:
    frozen = json.loads((EXAMPLES / f"{event.type}.json").read_text())
    headers = [(name, value.encode()) for name, value in frozen["headers"].items()]
    read = decode(headers, json.dumps(frozen["body"]).encode())
    assert type(read.data) is event
    assert (read.id, read.subject, read.time, read.sequence) == (ID, str(ID), NOON, 1001)
    assert read.traceparent == frozen["headers"]["traceparent"]
    assert _holds(json.loads(body(read.data)), frozen["body"])


def _holds(whole: Any, part: Any) -> bool:
    """Say whether everything in `part` is in `whole`, at any depth."""
    if isinstance(part, dict):
        return all(name in whole and _holds(whole[name], value) for name, value in part.items())
    if isinstance(part, list):
        return len(whole) == len(part) and all(map(_holds, whole, part))
    return bool(whole == part)


@each_event
def test_an_older_reader_ignores_what_a_newer_release_adds(event: type[Event]) -> None:
    said = json.loads(body(example(event)))
    assert event.model_validate_json(json.dumps({**said, "invented": {"by": ["a", "newer", "release"]}})) == example(
        event
    )


def test_nothing_is_frozen_that_no_contract_declares_any_more() -> None:
    declared = {event.type for event in EVENTS}
    assert {path.stem for folder in (SCHEMAS, EXAMPLES) for path in folder.glob("*.json")} == declared


@each_event
def test_an_event_is_named_noun_and_verb_in_the_module_of_its_emitter(event: type[Event]) -> None:
    assert re.fullmatch(r"jiesu\.[a-z]+\.[a-z]+\.v1", event.type)
    assert event.type == f"jiesu.{event.name}.v1"
    assert event.__module__ == f"libs.common.contracts.{event.emitter}"
    assert event.topic in {f"jiesu.{event.emitter}.v1", "jiesu.tickets.v1"}


def test_no_two_events_share_a_type() -> None:
    assert [type_ for type_, count in Counter(event.type for event in EVENTS).items() if count > 1] == []


SCHEMA: dict[str, Any] = {
    "$defs": {"Unit": {"type": "object", "properties": {"code": {"type": "string"}}, "required": ["code"]}},
    "type": "object",
    "properties": {
        "title": {"title": "Title", "type": "string"},
        "unit": {"$ref": "#/$defs/Unit"},
        "light": {"anyOf": [{"enum": ["green", "red"]}, {"type": "null"}], "default": None},
        "parts": {"type": "array", "items": {"$ref": "#/$defs/Unit"}},
    },
    "required": ["title", "unit", "parts"],
}


def _changed(change: str) -> dict[str, Any]:
    schema = deepcopy(SCHEMA)
    fields, unit = schema["properties"], schema["$defs"]["Unit"]
    changes: dict[str, Callable[[], object]] = {
        "a new optional field": lambda: fields.update(more={"type": "string", "default": ""}),
        "a new optional field deep inside": lambda: unit["properties"].update(name={"type": "string", "default": ""}),
        "other words": lambda: (schema.update(description="D"), fields["title"].update(title="T", description="D")),
        "a field gone": lambda: fields.pop("light"),
        "a field called like a schema's own word gone": lambda: fields.pop("title"),
        "another type": lambda: fields["title"].update(type="integer"),
        "another type deep inside": lambda: unit["properties"]["code"].update(type="integer"),
        "required no more": lambda: schema["required"].remove("title"),
        "required now": lambda: schema["required"].append("light"),
        "a new required field": lambda: (fields.update(more={}), schema["required"].append("more")),
        "a new required field deep inside": lambda: unit["required"].append("name"),
        "another word in a closed list": lambda: fields["light"]["anyOf"][0]["enum"].append("yellow"),
        "another default": lambda: fields["light"].update(default="green"),
        "one instead of many": lambda: fields.update(parts={"$ref": "#/$defs/Unit"}),
        "null allowed": lambda: fields.update(title={"anyOf": [{"type": "string"}, {"type": "null"}]}),
    }
    changes[change]()
    return schema


@pytest.mark.parametrize("change", ["a new optional field", "a new optional field deep inside", "other words"])
def test_a_compatible_change_is_let_through(change: str) -> None:
    assert broken_promises(SCHEMA, _changed(change)) == []


@pytest.mark.parametrize(
    "change",
    [
        "a field gone", "a field called like a schema's own word gone", "another type", "another type deep inside",
        "required no more", "required now", "a new required field", "a new required field deep inside",
        "another word in a closed list", "another default", "one instead of many", "null allowed",
    ],
)  # fmt: skip
def test_an_incompatible_change_is_named(change: str) -> None:
    assert broken_promises(SCHEMA, _changed(change))
