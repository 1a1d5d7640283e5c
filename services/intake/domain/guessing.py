"""Guesses at query codes: after a few wrong ones each further guess has to wait longer."""

from datetime import timedelta

FREE = 5
"""Wrong codes of a ticket without a wait: people misread."""
LONGEST = timedelta(minutes=15)
FORGET = timedelta(hours=24)
"""After so long without a wrong code a ticket's count begins anew."""


def wait_after(wrong: int) -> timedelta:
    """Return for how long no code of a ticket is looked at after so many wrong ones: 1 s, and twice as long each time.

    A code has 50 bits and is tied to one ticket. At the longest wait there are 96 guesses a day at each process, so
    after a year of guessing with ten processes a ticket is open to a chance of 3e-10. Somebody who guesses at the
    36 million tickets of a year at once would have to send 3.5 billion requests a day, and would find one in a year
    with a chance of 1 in 880 at each process.
    """
    if wrong < FREE:
        return timedelta()
    return min(LONGEST, timedelta(seconds=2 ** min(wrong - FREE, 20)))
