"""The engine of the index of process quality: its weights, from answers."""

from services.feedback.quality.fitting import LEAST, Answers, fitted

__all__ = ["LEAST", "Answers", "fitted"]
