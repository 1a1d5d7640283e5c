"""Every metric of the messaging layer, in one place. No label ever carries a ticket, a person or a text."""

from prometheus_client import Counter, Gauge, Histogram

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)

EVENTS_HANDLED = Counter("jiesu_events_handled_total", "Events whose effect was committed", ["service", "type"])
EVENTS_REPEATED = Counter("jiesu_events_repeated_total", "Events already done before", ["service"])
EVENTS_DEAD = Counter("jiesu_events_dead_total", "Events put aside as dead letters", ["service"])
EVENT_AGE = Histogram("jiesu_event_age_seconds", "From an event to its effect", ["service"], buckets=_SECONDS)
BATCH_SECONDS = Histogram("jiesu_batch_seconds", "One batch, claim to commit", ["service"], buckets=_SECONDS)
BATCH_RETRIES = Counter("jiesu_batch_retries_total", "Batches tried again after a transient failure", ["service"])
CONSUMER_UP = Gauge("jiesu_consumer_up", "1 while the consumer takes events", ["service"])
OUTBOX_PUBLISHED = Counter("jiesu_outbox_published_total", "Messages relayed to the bus", ["service"])
TIMER_LATENESS = Histogram("jiesu_timer_lateness_seconds", "From due to fired", ["service"], buckets=_SECONDS)
