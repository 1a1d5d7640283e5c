"""What the line accepts, what belongs elsewhere and where, and the grounds on which appeals are ruled upon."""

from dataclasses import asdict

from starlette.responses import HTMLResponse

from libs.common.city.settings import Name
from services.intake.pages.frame import Looking, pages

router = pages()


@router.get("/scope")
async def scope(visitor: Looking) -> HTMLResponse:
    """Show the whole of it, in the reader's language."""
    engine = visitor.here.engine

    def in_words(name: Name) -> str:
        return str(engine.messages.read(asdict(name), visitor.language))

    return visitor.show("scope.html", scope=engine.city.scope, bodies=engine.city.bodies, in_words=in_words)
