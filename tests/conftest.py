"""What every test may ask for."""

from hypothesis import settings

# No test is timed: on a busy machine an example may take long.
settings.register_profile("jiesu", deadline=None)
settings.load_profile("jiesu")

pytest_plugins = ["tests.support.servers", "tests.support.media"]
