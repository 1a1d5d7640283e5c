"""Waits: how those fared who asked for a person."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Waits:
    """What became of those who asked, in one group of them: a kind of session as it was asked for, or an access need.

    Waits are seconds until a seat took them: half waited at most so long, and 95 of 100; None if nobody was taken.
    `gone` left before a seat came, `called_back` asked for a call, at once or instead of waiting on.
    """

    name: str
    asked: int
    taken: int
    gone: int
    half_waited: float | None
    most_waited: float | None
    called_back: int
    reached: int
