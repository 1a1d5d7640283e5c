"""Facts from words: times, amounts of people and money, organisations, and what of a question is still to be asked.

Pure, and one pass over the text for each. Times are read here and not by a library: the one that is well kept (jionlp)
takes 0.8 ms for a sentence of ten characters, which is more than an appeal may take for everything.
"""

from services.classify.facts.asking import Asked, asked_of
from services.classify.facts.details import details
from services.classify.facts.talk import Said, Speaker, told, turns

__all__ = ["Asked", "Said", "Speaker", "asked_of", "details", "told", "turns"]
