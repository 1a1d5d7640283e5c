"""What every test may ask for."""

import os
from pathlib import Path

from hypothesis import settings

# No test is timed: on a busy machine an example may take long.
settings.register_profile("jiesu", deadline=None)
settings.load_profile("jiesu")

# One model for all the installations that tests make, and for the processes they start: it trains for a while.
MODELS = Path(__file__).parents[1] / ".pytest_cache" / "models"
os.environ["JIESU_MODELS"] = str(MODELS)

pytest_plugins = ["tests.support.servers", "tests.support.media", "tests.support.sentences"]
