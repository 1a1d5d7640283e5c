"""The tables of feedback and all its SQL."""

from services.feedback.store.bounces import bounces, save_bounces
from services.feedback.store.calling import callbacks, free, held_by, others_of, phoned_by_another, reporter_of
from services.feedback.store.cases import cases_of, save_cases
from services.feedback.store.closing import (
    LOOK_LOCK,
    doubt_of,
    doubts,
    find_signs,
    first_resolved,
    forget_rulings,
    gather,
    learn_paces,
    looked_until,
    month,
    save_again,
    save_doubt,
    save_look,
    spots,
    standings,
)
from services.feedback.store.kpis import figures
from services.feedback.store.once import siblings
from services.feedback.store.reviews import review_of, reviews_of, save_reviews
from services.feedback.store.tickets import children_of, save_tickets, tickets_of

__all__ = [
    "LOOK_LOCK",
    "bounces",
    "callbacks",
    "cases_of",
    "children_of",
    "doubt_of",
    "doubts",
    "figures",
    "find_signs",
    "first_resolved",
    "forget_rulings",
    "free",
    "gather",
    "held_by",
    "learn_paces",
    "looked_until",
    "month",
    "others_of",
    "phoned_by_another",
    "reporter_of",
    "review_of",
    "reviews_of",
    "save_again",
    "save_bounces",
    "save_cases",
    "save_doubt",
    "save_look",
    "save_reviews",
    "save_tickets",
    "siblings",
    "spots",
    "standings",
    "tickets_of",
]
