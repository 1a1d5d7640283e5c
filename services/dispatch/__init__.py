"""派单·办理: hands every appeal to the unit that must act, and follows its work.

Consumes ticket.received, supplemented, linked, answered, withdrawn and erased from intake, ticket.classified and
reclassified and hotspot.raised, updated and cooled from classify, ticket.reopened and closed and proactive.proposed,
done and declined from feedback. Emits ticket.dispatched, accepted, contacted, progressed, returned, ruled, escalated,
verified, reassigned, assigned, assisted, recalled and resolved and verification.ordered on jiesu.dispatch.v1. Only
dispatch changes an order's unit.
"""
