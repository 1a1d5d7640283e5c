"""Asking a language model: of tickets that wait for a person, as a job, and of what a seat takes down, when it asks.

Nothing waits for an answer: a ticket goes its way when its time comes, and a call is never inside a transaction. What
is answered is checked and then decided upon like any other fact, with the ticket locked and loaded again.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

from libs.common.city.catalogue import Question
from libs.common.contracts.classify import MachineMade
from services.classify import store
from services.classify.assistant import Asked, Assistant, NoAnswerError
from services.classify.assistant.endpoint import Reply
from services.classify.assistant.metrics import OPEN, OUTCOMES, SECONDS, SPENT, TOKENS
from services.classify.domain import Appeal, Guess, Rules, Verdict, advised, appeal_of, awaits_advice, decide
from services.classify.handlers.around import Here
from services.classify.handlers.judging import MEMORY, keep

POLL_SECONDS = 1.0
OFF_SECONDS = 3600.0
LEASE_SECONDS = 60.0
"""Beyond the longest call: what a process was asking when it ended is asked again by then."""
TRIES = 3
PAUSE_SECONDS = 60.0
"""Before the second try, twice as long before the third; and before a try that could not be made."""
KEPT = timedelta(days=30)
"""So long an answer may serve another ticket of the very same words."""


async def assist(here: Here) -> float:
    """Ask of the tickets whose wait ends soonest, and return the seconds until there may be more."""
    assistant = here.engine.assistant
    if assistant is None:
        return OFF_SECONDS
    limit = await _calls_now(here, assistant)
    if not limit:
        return POLL_SECONDS
    pool, now = here.database.pool, here.clock.now()
    claimed = await store.claim_held(pool, now, _later(here, assistant.seconds + LEASE_SECONDS), limit)
    added = await store.supplements_of(pool, claimed)
    verdicts = await store.verdicts_now(pool, list(claimed))
    appeals = [appeal_of(v.receipt, [s.text for s in added[v.ticket_id]]) for v in verdicts]
    asking = (_assist(here, assistant, v, a, claimed[v.ticket_id]) for v, a in zip(verdicts, appeals, strict=True))
    # One that fails must not take along the answers of the others, which were paid for.
    failed = [error for error in await asyncio.gather(*asking, return_exceptions=True) if error]
    if failed:
        raise failed[0]
    return 0 if len(claimed) == limit else POLL_SECONDS


async def forget_answers(here: Here) -> float:
    """Purge old answers, also those from before the language model was switched off."""
    await store.purge_answers(here.database.pool, here.clock.now() - KEPT)
    return OFF_SECONDS


async def deepen(here: Here, appeal: Appeal, guess: Guess, seconds: float) -> MachineMade | None:
    """Return what a language model says of an appeal that is no ticket yet, None if it says nothing within the time."""
    assistant = here.engine.assistant
    offered = _offered(guess, here.engine.rules)
    if assistant is None or not offered:
        return None
    try:
        async with asyncio.timeout(seconds):
            return await _answer(here, assistant, assistant.inquiry(appeal, offered))
    except (TimeoutError, NoAnswerError):
        return None


async def _calls_now(here: Here, assistant: Assistant) -> int:
    """Return how many calls may be made at once: none with nothing left to spend or an endpoint that ails."""
    now = here.clock.now()
    assistant.recent.forget(now)
    spent = await store.spending(here.database.pool, assistant.day(now))
    room, breaker = assistant.has_room(spent.tokens, spent.money), assistant.breaker.state(now)
    SPENT.set(not room)
    OPEN.set(breaker == "open")
    if breaker == "open" or not room:
        return 0
    return 1 if breaker == "half_open" else assistant.at_once


async def _assist(here: Here, assistant: Assistant, verdict: Verdict, appeal: Appeal, tries: int) -> None:
    """Ask of one ticket that was claimed, and follow the answer or put it off."""
    offered = _offered(verdict.reading.guess, here.engine.rules)
    if not offered:
        await store.put_off(here.database.pool, verdict.ticket_id, None, tries)
        return
    asked = assistant.inquiry(appeal, offered)
    try:
        answer = await _answer(here, assistant, asked)
    except NoAnswerError as error:
        tries += error.asked
        again = _later(here, PAUSE_SECONDS * max(tries, 1)) if tries < TRIES else None
        await store.put_off(here.database.pool, verdict.ticket_id, again, tries)
    else:
        await _follow(here, verdict, asked, answer)


async def _follow(here: Here, asked_of: Verdict, asked: Asked, answer: MachineMade) -> None:
    """Bring a verdict up to an answer, if it still waits for one."""
    id_, subject, rules = asked_of.ticket_id, str(asked_of.ticket_id), here.engine.rules
    async with here.database.begin() as tx:
        await tx.lock([subject])
        facts, before = MEMORY.of(tx, subject), (await store.verdicts_of(tx, [id_]))[id_]
        if not facts.wordless:
            await store.settle_answer(tx, id_, asked.key, answer)
        if not awaits_advice(before, facts, asked_of.reading.guess):
            OUTCOMES.labels("late").inc()
            return
        alarms = await store.alarms_of(tx, [id_])
        ruling = decide(advised(before, answer, rules), facts, rules, tx.now, alarm=alarms.get(id_))
        await keep(tx, {id_: before}, {id_: facts}, [ruling])


async def _answer(here: Here, assistant: Assistant, asked: Asked) -> MachineMade:
    """Return the answer to an inquiry, an earlier one if it was put before. Raises NoAnswerError."""
    found = assistant.recent.of(asked.key, here.clock.now())
    found = found or await store.answered(here.database.pool, asked.key)
    if found:
        OUTCOMES.labels("repeated").inc()
        return found
    try:
        async with assistant.turns:
            answer = assistant.heard(await _call(here, assistant, asked), asked)
    except NoAnswerError as error:
        OUTCOMES.labels(error.reason).inc()
        raise
    OUTCOMES.labels("answered").inc()
    assistant.recent.keep(asked.key, answer, here.clock.now())
    return answer


async def _call(here: Here, assistant: Assistant, asked: Asked) -> Reply:
    """Make one call, within the budget and with its outcome told to the breaker.

    The most it can cost is reserved before and set right after; of a call whose answer is lost that is what counts.
    """
    pool, now = here.database.pool, here.clock.now()
    if not assistant.breaker.admit(now):
        raise NoAnswerError("resting")
    day, most = assistant.day(now), assistant.most(asked)
    limits = assistant.budget.most
    if not await store.reserve(pool, day, most.tokens, most.money, (limits.tokens, limits.money)):
        raise NoAnswerError("spent")
    try:
        with SECONDS.time():
            reply = await assistant.endpoint.ask(asked)
    except NoAnswerError as error:
        assistant.breaker.judge(here.clock.now(), ails=error.ails)
        if error.free:
            await store.give_back(pool, day, most.tokens, most.money)
        raise
    assistant.breaker.judge(here.clock.now(), ails=False)
    cost = assistant.budget.cost(reply.usage) if reply.usage else most
    TOKENS.inc(cost.tokens)
    await store.give_back(pool, day, most.tokens - cost.tokens, most.money - cost.money)
    return reply


def _offered(guess: Guess, rules: Rules) -> Sequence[Question]:
    """Return the questions to choose from, the first guess first; none if this catalogue lacks that one."""
    questions = [rules.question(code) for code in (guess.code, *(code for code, _ in guess.others))]
    return [question for question in questions if question] if questions[0] else []


def _later(here: Here, seconds: float) -> datetime:
    """Return a time so many real seconds from now: endpoints live by no other clock."""
    return here.clock.now() + timedelta(seconds=seconds * here.clock.rate)
