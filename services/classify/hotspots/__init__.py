"""Finds hot events: what is said more often, somewhere, than its past explains, and words nobody used before.

Counts are read from the database; nothing here speaks to it. A `Detector` holds the city's grid of questions and
places, the baseline learnt day by day, and the lexicon of moods.
"""

from services.classify.hotspots.baseline import Baseline, Day
from services.classify.hotspots.detector import WEEK, Detector
from services.classify.hotspots.grid import Cell, Grid
from services.classify.hotspots.moods import Lexicon, load_lexicon
from services.classify.hotspots.scanning import QUICK, WINDOWS, Counts, Found
from services.classify.hotspots.words import SPANS, Grams, Mention, WordFound

__all__ = [
    "QUICK",
    "SPANS",
    "WEEK",
    "WINDOWS",
    "Baseline",
    "Cell",
    "Counts",
    "Day",
    "Detector",
    "Found",
    "Grams",
    "Grid",
    "Lexicon",
    "Mention",
    "WordFound",
    "load_lexicon",
]
