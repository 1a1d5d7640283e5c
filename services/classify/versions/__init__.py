"""Catalogues as they are imported and kept, and models as they are trained and measured in a process of their own."""

from services.classify.versions.parcels import CATALOGUE_FILE, ParcelError, opened, packed, unpacked
from services.classify.versions.training import Lesson, Trained, data_of, evaluated, probe, remade, trained, usable

__all__ = [
    "CATALOGUE_FILE",
    "Lesson",
    "ParcelError",
    "Trained",
    "data_of",
    "evaluated",
    "opened",
    "packed",
    "probe",
    "remade",
    "trained",
    "unpacked",
    "usable",
]
