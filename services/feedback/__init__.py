"""回访·考评: asks the citizen how it went, closes or reopens by the answer, scores the units, looks ahead.

Consumes ticket.received, linked, answered, withdrawn, screened and erased and line.measured from intake,
ticket.classified and reclassified from classify, ticket.contacted, resolved and ruled from dispatch, clock.met and
breached and deduction.proposed from sla, hotspot.raised, updated and cooled from classify. Emits review.requested
and submitted, ticket.closed and reopened, closing.ruled, score.published, appealed and ruled, topic.proposed,
opened and closed, proactive.proposed, done and declined on jiesu.feedback.v1. Only feedback closes and reopens.
"""
