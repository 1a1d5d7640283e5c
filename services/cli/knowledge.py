"""The knowledge base: articles from files into a running platform."""

from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Any

import typer

from services.cli.client import KeyFile, RefusedError, Url, ask
from services.cli.screen import say, table

app = typer.Typer(help="Import articles into the knowledge base.", no_args_is_help=True)
SUFFIXES = {".md", ".csv", ".docx"}
PATH = "/classify/v1/knowledge/files"
OF_ALL = {401, 403, 404}
"""What refuses whoever asks; what else the platform says no to is this file, and the next may be right."""


@app.callback()
def knowledge() -> None:
    """Import articles into the knowledge base."""


@app.command("import")
def import_files(
    paths: Annotated[list[Path], typer.Argument(exists=True, help="Files (.md, .csv, .docx), or folders of them.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would come of it.")] = False,
    url: Url = "",
    key: KeyFile = "",
) -> None:
    """Import articles, file by file, and say what came of each. What was imported before changes nothing.

    Exits with 1 if an article was refused.
    """
    files = [file for path in paths for file in _files_in(path)]
    if not files:
        raise RefusedError(f"there is no file to import; they end with {', '.join(sorted(SUFFIXES))}")
    told = [(file.name, *row) for file in files for row in _sent(url, key, file, dry_run=dry_run)]
    table(
        "Dry run: nothing was changed" if dry_run else "Imported", ("file", "line", "article", "outcome", "what"), told
    )
    refused = sum(row[3] == "refused" for row in told)
    say(f"{len(told) - refused} articles, {refused} refused.", "bold red" if refused else "bold green")
    if refused:
        raise typer.Exit(1)


def _files_in(path: Path) -> list[Path]:
    return sorted(file for file in path.rglob("*") if file.suffix in SUFFIXES) if path.is_dir() else [path]


def _sent(url: str, key: str, file: Path, *, dry_run: bool) -> list[tuple[int, str, str, str]]:
    """Return line, article, outcome and what is to be said of each article; of a file that was refused, why."""
    try:
        report = ask(url, key, "POST", PATH, params={"dry_run": dry_run}, content=file.read_bytes())
    except RefusedError as error:
        if error.status is None or error.status in OF_ALL or error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise
        return [(1, "", "refused", str(error))]
    return [(one["line"], one["article_id"] or "", one["outcome"], _what(one)) for one in report["articles"]]


def _what(one: dict[str, Any]) -> str:
    if one["errors"]:
        return "; ".join(f"line {error['line']}, {error['field']}: {error['message']}" for error in one["errors"])
    return f"version {one['version']}"
