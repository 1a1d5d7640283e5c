"""Judgements as pure decisions: from what was read in an appeal and what is known of its ticket to what is said of it.

`decide` may be asked at any time and in any order of facts; it changes only what is not yet as it should be.

Every appeal is judged, for counts and hot events need all of them. What was linked or answered at once is said without
waiting for a person: nobody acts on it, and should it go on after all, it has waited long enough.
"""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from libs.common.city.catalogue import Question
from libs.common.contracts.envelope import Event
from libs.common.contracts.vocabulary import Kind, Receipt, Urgency
from services.classify.domain.grading import Press, grade, graded, graver, pressing
from services.classify.domain.telling import classified, reclassified, same
from services.classify.domain.verdicts import Facts, Label, Named, NotPossibleError, Rules, Ruling, State, Verdict
from services.classify.domain.words import Reading, joined


def opened(ticket_id: UUID, receipt: Receipt, reading: Reading, rules: Rules) -> Verdict:
    """Return the verdict on a ticket heard of for the first time; nothing is said of it yet."""
    guess = reading.guess
    blank = Verdict(ticket_id, "held", guess.code, guess.confidence, "general", "help", "model", receipt, reading)
    return about(blank, rules.catalogue.by_code[guess.code])


def decide(
    verdict: Verdict, facts: Facts, rules: Rules, now: datetime,
    again: Reading | None = None, alarm: str | None = None,
) -> Ruling:  # fmt: skip
    """Bring a verdict to where the facts and the time say it must be.

    `again` is a new reading, with words that were added; `alarm` tells of a repeat of this ticket that is urgent.
    """
    judged = (_listen(verdict, again, rules) if again else verdict).kept(facts)
    judged, label, ruling = _obey(judged, facts, rules)
    judged = replace(graded(judged, facts, rules, alarm), parent=None if facts.withdrawn else facts.parent)
    if facts.withdrawn:
        return Ruling(replace(judged, state="ended"), label=label)
    judged = _settle(judged, facts, rules, now)
    presses = pressing(judged, facts, rules, alarm)
    events = _said(verdict, judged, ruling or _reason(verdict, judged, presses, rules), presses, rules)
    return Ruling(replace(judged, state=_state(judged, facts)), events, label)


def next_due(verdict: Verdict) -> datetime | None:
    """Return when `decide` must be asked again if no fact comes: when holding it reaches its limit."""
    return verdict.held_until if verdict.state == "held" else None


def correct(
    verdict: Verdict, facts: Facts, question: Question, urgency: Urgency | None, kind: Kind | None, note: str | None,
    by: str, rules: Rules, now: datetime, alarm: str | None = None,
) -> Ruling:  # fmt: skip
    """Follow a person who confirms or corrects a judgement. Raises NotPossibleError for a ticket that ended."""
    if verdict.state == "ended":
        raise NotPossibleError("the ticket was withdrawn, answered or joined to another")
    judged = about(replace(verdict, judged_by="person", confidence=1.0, told_at=verdict.told_at or now), question)
    judged = replace(judged, kind=kind or judged.kind)
    if urgency:
        named = replace(judged, named=Named(urgency))
        seen = {p.key for one in (judged, named) for p in pressing(one, facts, rules, alarm)}
        judged = replace(judged, named=Named(urgency, tuple(sorted(seen))))
    judged = replace(graded(judged, facts, rules, alarm), state="classified")
    reason = note or f"人工判定：{question.l3}"
    events = _said(verdict, judged, reason, pressing(judged, facts, rules, alarm), rules)
    return Ruling(judged, events, _label(verdict, question.code, by, now))


def _listen(verdict: Verdict, again: Reading, rules: Rules) -> Verdict:
    """Follow another reading, unless a person judged: then it is only listened to for danger."""
    known = rules.question(verdict.code) is not None
    if verdict.judged_by == "person" and known:
        danger = verdict.reading.danger or again.danger
        return replace(verdict, reading=replace(verdict.reading, danger=danger))
    guess = again.guess
    # A language model's word was on the words before these; while nothing was told by it, it is asked again.
    advised = verdict.machine_made and not verdict.told_at
    surer = guess.confidence > verdict.confidence or not known or bool(advised)
    listened = replace(verdict, reading=joined(verdict.reading, again, surer=surer))
    if not surer:
        return listened
    return about(
        replace(listened, judged_by="model", confidence=guess.confidence, machine_made=None),
        rules.catalogue.by_code[guess.code],
    )


def _obey(verdict: Verdict, facts: Facts, rules: Rules) -> tuple[Verdict, Label | None, str | None]:
    """Follow a ruling once. Dispatch may name a question of another release's catalogue: that one only teaches."""
    ruled = facts.ruled
    if ruled is None or verdict.ruled_at == ruled.at:
        return verdict, None, None
    label = _label(verdict, ruled.code, "ruling", ruled.at)
    verdict = replace(verdict, ruled_at=ruled.at)
    question = rules.question(ruled.code)
    if question is None:
        return verdict, label, None
    agreed = replace(verdict, judged_by="person", confidence=1.0)
    return (agreed if agreed.code == ruled.code else about(agreed, question)), label, f"退单裁定：{ruled.note}"


def _settle(verdict: Verdict, facts: Facts, rules: Rules, now: datetime) -> Verdict:
    """Let the first judgement out when it is sure, the matter urgent, a person's wait over, or nobody to act on it.

    By a question that is no more nothing is let out: it is judged anew within seconds.
    """
    if verdict.told_at or not rules.knows(verdict):
        return verdict
    sure = verdict.judged_by == "person" or verdict.confidence >= rules.low_confidence or verdict.confirmed
    if sure or verdict.urgency == "urgent" or facts.ended:
        return replace(verdict, told_at=now)
    if verdict.held_until and verdict.held_until <= now:
        return replace(verdict, judged_by="limit", told_at=now)
    return replace(verdict, held_until=verdict.held_until or now + rules.hold_limit)


def _said(
    before: Verdict, judged: Verdict, reason: str, presses: tuple[Press, ...], rules: Rules
) -> tuple[Event, ...]:  # fmt: skip
    """Say a judgement: the first, or another than was said; what is the same is not said again."""
    if judged.told_at is None:
        return ()
    if before.told_at is None:
        return (classified(judged, reason, presses, rules),)
    return () if same(before, judged) else (reclassified(before, judged, reason, presses, rules),)


def _reason(before: Verdict, judged: Verdict, presses: tuple[Press, ...], rules: Rules) -> str:
    """Return why a judgement is another than it was, where no person said so."""
    if rules.question(before.code) is None:
        return "诉求目录更新后重新研判"
    if presses and graver(judged.urgency, before.urgency):
        return "；".join(press.why for press in presses)
    lighter = judged.code == before.code and graver(before.urgency, judged.urgency)
    return "升级的理由已不存在" if lighter else "补充内容后重新研判"


def about(verdict: Verdict, question: Question) -> Verdict:
    """Return a verdict that is about another question, with the class and kind that follow."""
    reading = verdict.reading
    kind = verdict.receipt.kind or reading.kind or question.kind
    return replace(verdict, code=question.code, urgency=grade(question.urgency, reading), kind=kind, named=None)


def _state(verdict: Verdict, facts: Facts) -> State:
    if not verdict.told_at:
        return "held"
    return "ended" if facts.ended else "classified"


def _label(verdict: Verdict, code: str, by: str, at: datetime) -> Label | None:
    """Return what a judgement teaches: nothing where the words were deleted."""
    receipt = verdict.receipt
    text = "\n".join(filter(None, (receipt.title, receipt.text)))
    return Label(verdict.ticket_id, at, code, text, by) if text else None
