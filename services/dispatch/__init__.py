"""派单·办理: hands every appeal to the unit that must act, and follows its work.

Consumes ticket.received, linked, answered, withdrawn and erased from intake, ticket.classified and reclassified from
classify, ticket.reopened and closed from feedback. Emits ticket.dispatched, accepted, contacted, progressed, returned,
ruled, reassigned, assigned, assisted, recalled and resolved on jiesu.dispatch.v1. Only dispatch changes an order's unit.
"""
