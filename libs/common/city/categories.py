"""categories.csv: what the level-1 categories of the catalogue are called in English; without it, as in Chinese.

Level 2 has no English names and is read in Chinese; a question's own, level 3, stands in the catalogue.
"""

from collections.abc import Mapping
from pathlib import Path

from libs.common.city.catalogue import Catalogue
from libs.common.city.problems import Problems, read_table
from libs.common.city.settings import Name

FILE = "categories.csv"
CATEGORY_COLUMNS = ("name", "name_en")


def load_categories(folder: Path, catalogue: Catalogue, problems: Problems) -> Mapping[str, Name]:
    """Return the names of all level-1 categories, by the Chinese one."""
    named = {name: Name(name, name) for name in catalogue.level1.values()}
    if not (folder / FILE).is_file():
        return named
    found: dict[str, Name] = {}
    for row in read_table(folder / FILE, CATEGORY_COLUMNS, problems):
        if row["name"] not in named:
            row.wrong("name", f"{row['name']!r} should be a level-1 category of the catalogue")
        elif row["name"] in found:
            row.wrong("name", f"{row['name']!r} stands here twice")
        else:
            found[row["name"]] = Name(row["name"], row.filled("name_en"))
    return named | found


def category_name(categories: Mapping[str, Name], level1: str) -> Name:
    """Return what a level-1 category is called; one that the city no longer has is called as it was."""
    return categories.get(level1) or Name(level1, level1)
