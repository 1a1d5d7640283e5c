"""Learns a catalogue apart: its questions and where the sentence model is come on standard input.

python -m services.classify.model ARRAYS
"""

import sys
from pathlib import Path

from services.classify.model.judging import LESSON
from services.classify.model.keeping import keep
from services.classify.model.meaning import Meaning
from services.classify.model.training import learn

if __name__ == "__main__":
    questions, archive = LESSON.validate_json(sys.stdin.buffer.read())
    keep(Path(sys.argv[1]), learn(questions, {}, Meaning.load(archive)))
