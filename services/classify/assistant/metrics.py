"""Every metric of the language model, in one place. No label ever carries a ticket, a person or a text."""

from prometheus_client import Counter, Gauge, Histogram

_SECONDS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80)

OUTCOMES = Counter("jiesu_language_model_inquiries_total", "Inquiries by what became of them", ["outcome"])
SECONDS = Histogram("jiesu_language_model_seconds", "From a call to its answer", buckets=_SECONDS)
TOKENS = Counter("jiesu_language_model_tokens_total", "Tokens as counted for the budget")
SPENT = Gauge("jiesu_language_model_spent", "1 while the budget of the day has no room for another call")
OPEN = Gauge("jiesu_language_model_breaker_open", "1 while the endpoint is left alone")
