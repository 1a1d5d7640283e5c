"""接诉: receives every appeal, screens it, joins repeats, tells the citizen how it goes.

A POST is answered once the appeal is committed, sealed in the vault; a step right behind it redacts and screens, and
only then emits. Keeps files and what machines read in them, sessions with a person, flags, transfers outward, the
quality of lines, and the audit log. Consumes the ticket and review events of classify, dispatch and feedback and the
completion clock of sla (timeline, status, messages). Emits ticket.received, supplemented, linked, unlinked, supported,
screened, withdrawn, answered and erased, call.recorded and line.measured on jiesu.intake.v1, and ticket.snapshot on
the compacted jiesu.tickets.v1. Only intake joins appeals and only intake speaks to the citizen; only its vault holds
personal data.
"""
