"""How work before the appeal is put into words: why it is proposed, and what is to be done."""

from services.feedback.domain.proactive import Order
from services.feedback.domain.proposing import Proposal
from services.feedback.messages import Messages

TEXTS = Messages.load()
LANGUAGES = ("zh", "en")


def why(language: str, order: Order) -> str:
    """Return in words why an order was proposed."""
    name: str = order.rule
    if name == "season" and not order.why.get("appeals"):
        name = "season_first"
    if name == "places" and order.why.get("last_year"):
        name = "places_last_year"
    return TEXTS.say(language, "proactive", "why", name, **order.why)


def what(language: str, order: Order) -> str:
    """Return what is to be done."""
    return str(TEXTS.read(order.what, language))


def advice(proposal: Proposal) -> dict[str, str]:
    """Return what may be done by any unit whose rule has no words of its own, in each language."""
    return {language: TEXTS.say(language, "proactive", "what", proposal.rule, **proposal.why) for language in LANGUAGES}
