"""回访·考评: asks the citizen how it went, closes or reopens by the answer, and scores the units.

Consumes ticket.received, linked, answered, withdrawn, screened and erased from intake, ticket.classified and
reclassified from classify, ticket.contacted and resolved from dispatch, clock.met and breached from sla. Emits
review.requested and submitted, ticket.closed and reopened on jiesu.feedback.v1. Only feedback closes and reopens.
"""
