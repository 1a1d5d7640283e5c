"""What intake may say of one ticket in the course of its life, and the orders in which a service may hear it."""

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TypeVar

from hypothesis import strategies as st

T = TypeVar("T")
NEXT: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "": ("received", "linked", "answered"),
        "received": ("linked", "answered", "withdrawn"),
        "linked": ("unlinked", "linked elsewhere", "withdrawn"),
        "linked elsewhere": ("unlinked", "withdrawn"),
        "unlinked": ("received",),
        "answered": ("received", "answered", "withdrawn"),
        "withdrawn": (),
    }
)
"""What may follow a word that decides whether, and how, a ticket goes on."""
BESIDE = ("supported", "screened", "lifted", "supplemented")
"""What may be said at any time between."""


@st.composite
def stories(draw: st.DrawFn, longest: int = 6) -> list[str]:
    """Draw the words of intake about one ticket, in their order."""
    word, said = "", []
    for _ in range(draw(st.integers(1, longest))):
        following = NEXT[word]
        if not following:
            break
        word = draw(st.sampled_from(following))
        said += [word, *draw(st.lists(st.sampled_from(BESIDE), max_size=1))]
    return [*said, "received"] if word == "unlinked" else said


@st.composite
def hearings(draw: st.DrawFn, streams: Sequence[Sequence[T]]) -> list[T]:
    """Draw one order in which all of several streams may be heard, each stream's own order kept."""
    turns = draw(st.permutations([number for number, stream in enumerate(streams) for _ in stream]))
    heads: list[Iterator[T]] = [iter(stream) for stream in streams]
    return [next(heads[number]) for number in turns]
