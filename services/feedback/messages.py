"""What citizens read when they are asked."""

from dataclasses import dataclass

from libs.common.runtime.messages import Texts


@dataclass(frozen=True, slots=True)
class Messages(Texts):
    """The catalogue of feedback."""

    def chinese(self, *path: str) -> str:
        """Return a text of the review page in Chinese."""
        return self.say("zh", "review", *path)

    def english(self, *path: str) -> str:
        """Return it in English, which the page says beside it."""
        return self.say("en", "review", *path)
