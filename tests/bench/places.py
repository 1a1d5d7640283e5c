"""`python -m tests.bench.places [set.csv …]`: how often the resolver knows where people mean, how sure, and how fast.

A set has the columns text, expect, district, street; expect says what is right: the street, the district alone (the
street is open), ambiguous (several districts), outside, none. The set beside this file is this project's own writing,
by the hand that wrote the names: what it shows is that nothing was lost. How it does on others' words is in
docs/benchmarks.md. Time is of the process, on one core.
"""

import csv
import math
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from libs.common.city.pack import load_city
from libs.common.city.places import Place, PlaceResolver

OWN = Path(__file__).with_name("places") / "mentions.csv"
BINS = (0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 1.01)
ROUNDS = 20


def right(row: dict[str, str], place: Place | None) -> bool:
    """Whether an answer is the one expected."""
    match row["expect"]:
        case "street":
            return place is not None and place.street == row["street"]
        case "district":
            return place is not None and place.district == row["district"] and place.street is None
        case "ambiguous":
            return place is not None and not place.street and len(place.candidates) > 1
        case "outside":
            return place is not None and place.outside
    return place is None


def wilson(hits: int, of: int) -> str:
    """A share with its 95 % interval by Wilson."""
    if not of:
        return "-"
    share, z = hits / of, 1.96
    middle = (share + z * z / 2 / of) / (1 + z * z / of)
    half = z * math.sqrt(share * (1 - share) / of + z * z / 4 / of / of) / (1 + z * z / of)
    return f"{hits}/{of} = {share:.3f} [{middle - half:.3f}, {middle + half:.3f}]"


def report(rows: Sequence[dict[str, str]], resolver: PlaceResolver) -> None:
    """Print what is right by kind and by how sure the answer was, and what is wrong."""
    answers = [(row, resolver.resolve(row["text"])) for row in rows]
    kinds: dict[str, Counter[bool]] = defaultdict(Counter)
    bins: dict[float, Counter[bool]] = defaultdict(Counter)
    for row, place in answers:
        kinds[row["expect"]][right(row, place)] += 1
        if place:
            bins[max(low for low in BINS if low <= place.confidence)][right(row, place)] += 1
    print("all", wilson(sum(right(row, place) for row, place in answers), len(answers)))
    for kind, seen in sorted(kinds.items()):
        print(f"  {kind:9} {wilson(seen[True], seen.total())}")
    print("right where the confidence is")
    for low, high in pairwise(BINS):
        print(f"  {low:.1f} to {min(high, 1):.1f}  {wilson(bins[low][True], bins[low].total())}")
    for row, place in answers:
        if not right(row, place):
            print("  wrong:", *row.values(), "->", place and (place.district, place.street, place.matched))


def main(files: Sequence[str]) -> None:
    """Measure on the files given, or on the project's own set."""
    city = load_city(Path("deploy/cities/beijing"))
    started = time.process_time()
    resolver = PlaceResolver(city)
    print(f"names indexed in {time.process_time() - started:.2f} s of CPU")
    for file in files or [str(OWN)]:
        with Path(file).open(encoding="utf-8", newline="") as opened:
            rows = list(csv.DictReader(opened))
        print(file)
        report(rows, resolver)
        started = time.process_time()
        for _ in range(ROUNDS):
            for row in rows:
                resolver.resolve(row["text"])
        print(f"{ROUNDS * len(rows) / (time.process_time() - started):,.0f} mentions a second of CPU")


if __name__ == "__main__":
    main(sys.argv[1:])
