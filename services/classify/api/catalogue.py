"""HTTP of the catalogue: every question there is."""

from fastapi import APIRouter
from pydantic import BaseModel

from libs.common.contracts.vocabulary import Kind, Urgency
from services.classify.api.around import Anyone, Category, Context

router = APIRouter()


class QuestionView(BaseModel):
    """A question of the catalogue."""

    code: str
    category: Category
    name_en: str
    urgency: Urgency
    kind: Kind
    ask: tuple[str, ...]


class CatalogueView(BaseModel):
    """All questions in their order, with the version that judgements name."""

    version: str
    model: str
    questions: list[QuestionView]


@router.get("/catalogue")
async def show_catalogue(here: Context, _: Anyone) -> CatalogueView:
    """List every question."""
    rules = here.engine.rules
    questions = [
        QuestionView(
            code=q.code, category=q.category, name_en=q.name_en, urgency=q.urgency, kind=q.kind, ask=q.ask
        )
        for q in rules.catalogue
    ]  # fmt: skip
    return CatalogueView(version=rules.catalogue.version, model=rules.model, questions=questions)
