"""Guesses at query codes: after a few wrong ones the next wrong one is refused for longer each time."""

from datetime import timedelta

FREE = 5
"""Wrong codes of a ticket without a wait: people misread."""
LONGEST = timedelta(minutes=15)
FORGET = timedelta(hours=24)
"""After so long without a wrong code a ticket's count begins anew."""


def wait_after(wrong: int) -> timedelta:
    """Return for how long a further wrong code of a ticket is refused after so many: 1 s, and twice as long each time.

    The wait tells a client that errs, or guesses, to stop. It keeps nobody out: it cannot tell a citizen from a
    stranger, so the right code is always let in, and what keeps strangers out is how many codes there are. A code has
    50 bits and is tied to one ticket. Who had the platform answer 10,000 guesses in every second of a year, from
    however many addresses and at however many tickets, would open one with a chance of 1 in 3,500.
    """
    if wrong < FREE:
        return timedelta()
    return min(LONGEST, timedelta(seconds=2 ** min(wrong - FREE, 20)))
