"""Open311 GeoReport v2 and FixMyStreet's extension of it: a second door to the same intake, and the public list."""

from services.intake.open311.api import router

__all__ = ["router"]
