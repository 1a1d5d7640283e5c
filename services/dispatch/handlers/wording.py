"""What units write for others to read: without personal data, but with the numbers of offices."""

from libs.common.runtime.privacy import Redactor, restore
from services.dispatch.domain import is_office
from services.dispatch.handlers.around import Here


def redacted(here: Here, text: str) -> str:
    """Return what a unit wrote without personal data; by which number an office is reached stays."""
    redactor = Redactor()
    clean = redactor.redact(text)
    offices = [
        mark
        for mark in redactor.marks
        if mark.kind == "phone" and is_office(mark.original, clean.partition(f"⟦{mark.name}⟧")[0], here.engine.numbers)
    ]
    return restore(clean, offices)
