"""Dated versions of what a city pack says, as a service keeps them: imported, in force from a time on, and back again.

It stands on the city's data and on the runtime, so it stands above both, and below the services.
"""

from libs.common.versions.keeping import Activations, Taken, UnknownVersionError, Versions

__all__ = ["Activations", "Taken", "UnknownVersionError", "Versions"]
