"""`python -m libs.common.city deploy/cities/beijing`: count what a pack holds, or list its problems and exit with 1."""

import sys
from collections import Counter
from pathlib import Path

from libs.common.city.pack import City, load_city
from libs.common.city.problems import CityError


def _summary(city: City) -> list[str]:
    kinds = Counter(unit.kind for unit in city.units.values())
    phrases = sum(len(question.phrases) for question in city.catalogue)
    return [
        f"{city.name.zh} {city.name.en} ({city.code})",
        f"units {len(city.units)}: " + ", ".join(f"{kind} {count}" for kind, count in kinds.items()),
        f"questions {len(city.catalogue)} in {len(city.catalogue.level1)} categories, phrases {phrases}",
        f"catalogue version {city.catalogue.version}",
        f"place names {len(city.places)}",
        f"emergency numbers {', '.join(emergency.number for emergency in city.emergencies.numbers)}",
    ]


def main(arguments: list[str]) -> int:
    """Check the pack in the folder given; returns the exit status."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m libs.common.city <folder of a city pack>\n")
        return 2
    try:
        city = load_city(Path(arguments[0]))
    except CityError as error:
        sys.stderr.write(f"{error}\n{len(error.problems)} problems\n")
        return 1
    sys.stdout.write("\n".join(_summary(city)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
