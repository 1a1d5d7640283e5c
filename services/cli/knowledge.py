"""The knowledge base: articles from files into a running platform."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer

from libs.common.local.home import key_file
from libs.common.runtime.settings import read_settings
from services.cli.client import client
from services.cli.screen import say, table

app = typer.Typer(help="Import articles into the knowledge base.", no_args_is_help=True)
SUFFIXES = {".md", ".csv", ".docx"}
PATH = "/classify/v1/knowledge/files"


class KnowledgeCommandError(RuntimeError):
    """The import cannot go on; the text says why. What was imported before stays."""


@app.callback()
def knowledge() -> None:
    """Import articles into the knowledge base."""


@app.command("import")
def import_files(
    paths: Annotated[list[Path], typer.Argument(exists=True, help="Files (.md, .csv, .docx), or folders of them.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would come of it.")] = False,
    url: Annotated[str, typer.Option(help="The platform; without it, the one of this home.")] = "",
    key: Annotated[str, typer.Option("--key-file", help="The file of the key; without it, the home's dev.key.")] = "",
) -> None:
    """Import articles, file by file, and say what came of each. What was imported before changes nothing.

    Exits with 1 if an article was refused.
    """
    settings = read_settings()
    files = [file for path in paths for file in _files_in(path)]
    if not files:
        raise KnowledgeCommandError(f"there is no file to import; they end with {', '.join(sorted(SUFFIXES))}")
    told = asyncio.run(_send(url or settings.base_url, Path(key) if key else key_file(settings), files, dry_run))
    table(
        "Dry run: nothing was changed" if dry_run else "Imported", ("file", "line", "article", "outcome", "what"), told
    )
    refused = sum(row[3] == "refused" for row in told)
    say(f"{len(told) - refused} articles, {refused} refused.", "bold red" if refused else "bold green")
    if refused:
        raise typer.Exit(1)


def _files_in(path: Path) -> list[Path]:
    return sorted(file for file in path.rglob("*") if file.suffix in SUFFIXES) if path.is_dir() else [path]


async def _send(url: str, key: Path, files: Sequence[Path], dry_run: bool) -> list[tuple[str, int, str, str, str]]:
    rows = []
    async with client(url, key) as http:
        for file in files:
            try:
                answer = await http.post(PATH, params={"dry_run": dry_run}, content=file.read_bytes())
            except httpx.TransportError as error:
                raise KnowledgeCommandError(f"{url} does not answer: {error!r}") from error
            rows += [(file.name, *row) for row in _rows(answer)]
    return rows


def _rows(answer: httpx.Response) -> list[tuple[int, str, str, str]]:
    """Return line, article, outcome and what is to be said of each article; of a file that was refused, why."""
    if answer.is_client_error and answer.status_code not in {401, 403, 404}:
        return [(1, "", "refused", answer.json()["detail"])]
    if not answer.is_success:
        raise KnowledgeCommandError(f"the platform refuses the import ({answer.status_code}): {answer.text[:200]}")
    return [(one["line"], one["article_id"] or "", one["outcome"], _what(one)) for one in answer.json()["articles"]]


def _what(one: dict[str, Any]) -> str:
    if one["errors"]:
        return "; ".join(f"line {error['line']}, {error['field']}: {error['message']}" for error in one["errors"])
    return f"version {one['version']}"
