"""The tables of feedback and all its SQL."""

from services.feedback.store.bounces import bounces, save_bounces
from services.feedback.store.cases import cases_of, save_cases
from services.feedback.store.rates import tallies
from services.feedback.store.reviews import callbacks, review_of, reviews_of, save_reviews
from services.feedback.store.tickets import children_of, save_tickets, tickets_of

__all__ = [
    "bounces",
    "callbacks",
    "cases_of",
    "children_of",
    "review_of",
    "reviews_of",
    "save_bounces",
    "save_cases",
    "save_reviews",
    "save_tickets",
    "tallies",
    "tickets_of",
]
