"""limits.csv: how long work may take of single questions, as a city that comes from another system kept its targets.

Read as rules of policies.toml. Each holds while the matter is of the class that its question has: danger, and what many
others raise, goes by the limits of the higher class.
"""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import cast, get_args

from libs.common.city.catalogue import Catalogue
from libs.common.city.policies import LONGEST, Count, rule_text
from libs.common.city.problems import Problems, Row, read_table
from libs.common.city.settings import Limit

FILE = "limits.csv"
COLUMNS = ("code", "completion_days", "response_days", "count", "share", "targets")
"""`share` of `targets` were exactly that long; it is there for people to judge by."""
NOTHING, MINUTE = timedelta(), timedelta(minutes=1)


def load_limits(folder: Path, catalogue: Catalogue, problems: Problems) -> dict[str, str]:
    """Return what limits.csv, which a pack may lack, comes to: the text of rules by their names, in its order."""
    path = folder / FILE
    rows = read_table(path, COLUMNS, problems) if path.is_file() else ()
    return dict(_rules(rows, catalogue))


def _rules(rows: Iterable[Row], catalogue: Catalogue) -> Iterator[tuple[str, str]]:
    for number, row in enumerate(rows, 1):
        id_ = f"limit_{number}"
        count = cast(Count, row.choice("count", get_args(Count)))
        limit = Limit(_span(row, "response_days"), _span(row, "completion_days"))
        question = catalogue.by_code.get(row["code"])
        if question is None:
            row.wrong("code", f"{row['code']!r} should be a code of the catalogue")
        else:
            yield id_, rule_text(id_, limit, count, category=[question.code], urgency=[question.urgency])


def _span(row: Row, column: str) -> timedelta:
    try:
        span = timedelta(minutes=round(timedelta(days=float(row[column])) / MINUTE))
    except (ValueError, OverflowError):
        span = NOTHING
    if not NOTHING < span <= LONGEST:
        row.wrong(column, f"{row[column]!r} should be days such as 5 or 0.5, at most {LONGEST.days}")
    return min(max(span, MINUTE), LONGEST)
