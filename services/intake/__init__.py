"""接诉: receives every appeal, screens it, joins repeats, tells the citizen how it goes.

A POST is answered once the appeal is committed, sealed in the vault; a step right behind it redacts and screens, and
only then emits. Consumes the ticket events of classify, dispatch and feedback and the completion clock of sla (timeline
and status). Emits ticket.received, supplemented, linked, withdrawn, answered and screened on jiesu.intake.v1, and
ticket.snapshot on the compacted jiesu.tickets.v1. Only intake joins appeals and only intake
speaks to the citizen; only its vault holds personal data.
"""
