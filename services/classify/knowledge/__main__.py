"""`python -m services.classify.knowledge deploy/cities/beijing`: check the articles of a city pack, as an import would.

Lists what is wrong with them by file, line and field and exits with 1: an owner or a question that the pack has not,
and an article whose file bears another name.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from libs.common.city.pack import load_city
from services.classify.knowledge.drafts import Fault
from services.classify.knowledge.reading import FileFaultError, drafts_in
from services.classify.knowledge.shelf import Shelf


def faults(shelf: Shelf, path: Path) -> Iterator[Fault]:
    """Return what is wrong with a file of one article."""
    try:
        drafts = drafts_in(path.read_text())
    except FileFaultError as error:
        yield error.fault
        return
    for draft in drafts:
        yield from shelf.content(draft)[1]
        if draft.article_id != path.stem:
            yield Fault(draft.line, "id", "must be the name of the file")


def main(arguments: list[str]) -> int:
    """Check the articles of the pack in the folder given; returns the exit status."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m services.classify.knowledge <folder of a city pack>\n")
        return 2
    folder = Path(arguments[0])
    shelf, paths = Shelf(load_city(folder)), sorted((folder / "knowledge").glob("*.md"))
    wrong = [
        f"knowledge/{path.name}:{fault.line}: {fault.field} {fault.message}"
        for path in paths
        for fault in faults(shelf, path)
    ]
    sys.stderr.write("".join(f"{line}\n" for line in wrong))
    sys.stdout.write(f"articles {len(paths)}\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
