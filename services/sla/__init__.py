"""督办: holds every appeal to its deadline.

Consumes ticket.received, linked, answered and withdrawn from intake, ticket.classified and reclassified from classify,
ticket.dispatched, reassigned, contacted and resolved from dispatch, ticket.reopened from feedback. Emits
clock.started, paused, resumed, warned, breached, met and stopped, and supervision.opened, raised and closed on
jiesu.sla.v1. Only sla fires a clock. Tells the lead of each reminder and each light by a notice.
"""
