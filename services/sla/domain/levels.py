"""Who stands above whom: a supervisor with units oversees these and all under them, one without any the city."""

from collections.abc import Mapping


def hierarchy(parents: Mapping[str, str | None]) -> Mapping[str, frozenset[str]]:
    """Return each unit's code with the codes of itself and of all under it. `parents` name who stands above each."""
    below: dict[str, set[str]] = {code: {code} for code in parents}
    for code in parents:
        above = parents[code]
        while above is not None:
            below[above].add(code)
            above = parents[above]
    return {code: frozenset(codes) for code, codes in below.items()}
