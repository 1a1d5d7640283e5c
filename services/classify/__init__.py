"""研判: understands every appeal: what it is about, how grave it is, and where.

Consumes ticket.received, linked, answered, withdrawn, supplemented, supported, screened and erased from intake,
ticket.ruled from dispatch, whose rulings teach it, and review.submitted from feedback, which may speak against what was
read out. Emits ticket.classified and reclassified, hotspot.raised, updated and cooled, and article.due and disputed, on
jiesu.classify.v1. What the model is not sure of waits for a person, up to a limit; urgent never waits.
"""
