"""研判: understands every appeal: what it is about, how grave it is, and where.

Consumes ticket.received, linked, answered, withdrawn, supplemented and supported from intake, and ticket.ruled from
dispatch, whose rulings teach it. Emits ticket.classified and reclassified on jiesu.classify.v1. What the model is not
sure of waits for a person, up to a limit; urgent never waits.
"""
