"""`python -m libs.common.city deploy/cities/beijing`: count what a pack holds, or list its problems and exit with 1.

With the path of a table of units instead of a folder, only that is checked, with the contacts and changes beside it.
"""

import sys
from collections import Counter
from pathlib import Path

from libs.common.city.pack import City, load_city
from libs.common.city.problems import CityError, Problems
from libs.common.city.units import load_units


def _summary(city: City) -> list[str]:
    kinds = Counter(unit.kind for unit in city.units.values())
    villages = sum(len(here.villages) for here in city.communities)
    communities = sum(len(here.communities) for here in city.communities)
    duties = sum(map(len, city.duties.by_unit.values()))
    phrases = sum(len(question.phrases) for question in city.catalogue)
    return [
        f"{city.name.zh} {city.name.en} ({city.code})",
        f"units {len(city.units)}: " + ", ".join(f"{kind} {count}" for kind, count in kinds.items()),
        f"questions {len(city.catalogue)} in {len(city.catalogue.level1)} categories, phrases {phrases}",
        f"catalogue version {city.catalogue.version}",
        f"rules of routing {len(city.rules.rules)}, version {city.rules.version}",
        f"rules of limits {len(city.policies.rules)}, version {city.policies.version}; days set {len(city.calendar)}",
        f"duties {duties} of {len(city.duties.by_unit)} units, {len(city.duties.reasons)} units without for a reason",
        f"place names {len(city.places)}, villages {villages}, communities {communities}",
        f"emergency numbers {', '.join(emergency.number for emergency in city.emergencies.numbers)}",
    ]


def _units(path: Path) -> list[str]:
    problems = Problems()
    units = load_units(path.parent, problems, path.name)
    problems.raise_if_any()
    return [f"units {len(units)}"]


def main(arguments: list[str]) -> int:
    """Check the pack in the folder given; returns the exit status."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m libs.common.city <folder of a city pack, or a units.csv>\n")
        return 2
    try:
        path = Path(arguments[0])
        told = _units(path) if path.is_file() else _summary(load_city(path))
    except CityError as error:
        sys.stderr.write(f"{error}\n{len(error.problems)} problems\n")
        return 1
    sys.stdout.write("\n".join(told) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
