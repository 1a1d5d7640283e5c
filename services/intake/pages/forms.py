"""What a form sent, and what is wrong with it, in the words of the page."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Request
from pydantic import ValidationError
from starlette.datastructures import UploadFile

from services.intake.pages.frame import Visitor

MOST_FIELDS = 50
MOST_FILES = 20


@dataclass(frozen=True, slots=True)
class Sent:
    """A form as it came: the text of each field, all values of those that may have several, and the files chosen."""

    fields: Mapping[str, str]
    ticked: Mapping[str, Sequence[str]]
    files: Sequence[UploadFile]


async def _sent(request: Request) -> AsyncIterator[Sent]:
    async with request.form(max_files=MOST_FILES, max_fields=MOST_FIELDS) as form:
        texts = [(name, value) for name, value in form.multi_items() if isinstance(value, str)]
        ticked: dict[str, list[str]] = {}
        for name, value in texts:
            ticked.setdefault(name, []).append(value)
        # A file field left empty comes as a file without a name.
        files = [value for _, value in form.multi_items() if isinstance(value, UploadFile) and value.filename]
        yield Sent(dict(texts), ticked, files)


Form = Annotated[Sent, Depends(_sent)]
"""The form that was sent. Problem 413 if it is too long, HTTPException 400 if it is none."""


@dataclass(frozen=True, slots=True)
class Filled:
    """A form to show: `given` by field, and by field what to say of what is wrong, in the form's order."""

    given: Mapping[str, str] = field(default_factory=dict)
    wrong: Mapping[str, str] = field(default_factory=dict)
    chosen: Sequence[str] = ()
    """The boxes that were ticked."""
    busy: bool = False
    files: bool = False
    """Whether there were files, which no page can put back."""


def wrong_fields(visitor: Visitor, error: ValidationError, fields: Iterable[str]) -> dict[str, str]:
    """Return what to say of each of these fields that is among pydantic's findings."""
    found = {str(part) for finding in error.errors() for part in finding["loc"]}
    return {name: visitor.say("wrong", name) for name in fields if name in found}
