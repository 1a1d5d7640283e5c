"""督办: holds every appeal to its deadline.

Consumes ticket.received, linked, answered, withdrawn and erased from intake, ticket.classified and reclassified and
hotspot.raised, updated and cooled from classify, ticket.dispatched, reassigned, contacted, resolved, returned, ruled,
recalled, assigned and assisted from dispatch, ticket.reopened and closed from feedback. Emits clock.started, paused,
resumed, extended, warned, breached, met and stopped, task.started, warned, breached, met and stopped,
supervision.opened, raised, stepped and closed, and deduction.proposed on jiesu.sla.v1. Only sla fires a clock. Tells
units of reminders, lights and cases of supervision by notices.
"""
