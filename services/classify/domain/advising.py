"""What a language model's word on a verdict changes: the order of its guesses, and whether a person need look.

It is followed at once only where it confirms the first guess. Where it is sure of another one, that becomes the first
guess, which a person still sees before it goes out, or which goes out when nobody looked for as long as one may.
"""

from dataclasses import replace

from libs.common.contracts.classify import MachineMade
from services.classify.domain.deciding import about
from services.classify.domain.verdicts import Facts, Rules, Verdict
from services.classify.domain.words import Guess


def awaits_advice(verdict: Verdict, facts: Facts, asked_of: Guess) -> bool:
    """Say whether advice on a guess still helps: nobody was quicker, and neither guess nor words went meanwhile."""
    return verdict.state == "held" and not facts.wordless and verdict.reading.guess == asked_of


def advised(verdict: Verdict, advice: MachineMade, rules: Rules) -> Verdict:
    """Return a verdict that waits for a person with this advice, about the question that is its first guess then."""
    advised = replace(verdict, machine_made=advice)
    question = rules.question(advised.guess.code)
    if question is None or question.code == verdict.code:
        return advised
    return about(replace(advised, confidence=advised.guess.confidence), question)
