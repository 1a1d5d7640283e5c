"""How units work on an order and what citizens make of it, drawn from a seed: the truth that nobody is told."""

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from deploy.simulator import conduct
from libs.common.contracts.dispatch import ReplyFault, ReplyWords
from libs.common.contracts.vocabulary import Resolution
from services.dispatch.domain import Appealed, Names, reply_faults, reply_words
from tests.bench.year.town import FALSE_SHARE, Matter, Unit

RESPONSE = {"urgent": 0.5, "livelihood": 2.0, "general": 24.0, "complex": 24.0}
COMPLETION = {"urgent": 2.0, "livelihood": 24.0, "general": 168.0, "complex": 360.0}
"""Hours that a class leaves; the clocks are another stage's, whose word is played here."""
HARM = {"unsolved": 0.35, "growing": 0.15, "coming back": 0.12, "nobody's": 0.2, "of a group": 0.28}
"""By how much less often a matter is solved once what is planted in it has begun."""
ANSWERED = 0.6


@dataclass(frozen=True, slots=True)
class Reply:
    """What a unit writes, and what dispatch's rules find in it."""

    text: str
    faults: tuple[ReplyFault, ...]
    words: ReplyWords | None


def _reply(text: str) -> Reply:
    # That a contact is not mentioned is no fault where dispatch knows of one, which the rule cannot see here.
    faults = reply_faults(text, Appealed("", "", "complaint", ()), Names({}))
    return Reply(text, tuple(fault for fault in faults if fault != "no_contact"), reply_words(text))


GOOD = tuple(_reply(text) for text in conduct.GOOD)
EMPTY = tuple(
    _reply(text)
    for text in (
        *conduct.BOILERPLATE,
        "您好，您反映的问题我们已收到，会尽快安排处理，感谢您的支持。",
        "您的诉求已记录，我单位将进一步加强管理。",
        "已通知相关单位核实处理。",
        "我街道高度重视，将持续关注此问题，切实做好相关工作。",
        "情况属实，下一步将加大巡查力度，请您放心。",
        "已按规定处理。",
        "经核实，您反映的问题已处理完毕。",
        "已联系物业处理，感谢来电。",
    )
)
"""Replies of who did nothing. The last three claim what no rule on words can see through."""


@dataclass(frozen=True, slots=True)
class Work:
    """One round as it was: hours from the order to each step, None where there was none.

    `contact` is what the record has, `spoke` whether it is true. `false`: the unit only says that it is done.
    """

    sign: float
    contact: float | None
    spoke: bool
    resolve: float
    reply: Reply
    evidence: int
    solved: bool
    false: bool

    def in_time(self, urgency: str) -> tuple[bool | None, bool]:
        """Say whether the citizen was contacted and the work done within the limits; None without a contact."""
        kept = None if self.contact is None else self.contact <= RESPONSE[urgency]
        return kept, self.resolve <= COMPLETION[urgency]


def work(random: Random, unit: Unit, matter: Matter, day: date, round_: int) -> Work:
    """Draw what a unit does with an order."""
    urgency = matter.question.urgency
    if unit.manner == "false" and random.random() < FALSE_SHARE:
        return _false(random, urgency)
    lazy = unit.manner == "lazy"
    sign = RESPONSE[urgency] * random.lognormvariate(-2.5 if not lazy else -1.2, 0.6)
    contact = max(sign, RESPONSE[urgency] * random.lognormvariate(-1.4 if not lazy else -0.5, 0.8))
    resolve = max(contact, COMPLETION[urgency] * random.lognormvariate(-1.05 if not lazy else -0.15, 0.55))
    spoke = random.random() > (0.2 if lazy else 0.05)
    chance = matter.solved + unit.skill - (HARM[matter.problem] if matter.is_problem(day) and matter.problem else 0)
    # Who is told a second time takes more care, but what is left is harder.
    chance = min(0.97, max(0.05, chance - 0.05 * (round_ - 1)))
    empty = random.random() < (0.25 if lazy else 0.05)
    return Work(
        sign, contact if spoke else None, spoke, resolve, random.choice(EMPTY if empty else GOOD),
        0 if random.random() < (0.5 if lazy else 0.25) else random.randint(1, 3), random.random() < chance, false=False,
    )  # fmt: skip


def _false(random: Random, urgency: str) -> Work:
    """Draw a closing at once: mostly an empty reply, no contact or one that never was, and nothing to show."""
    quick = random.random() < 0.85
    resolve = random.uniform(0.1, 0.8) if quick else COMPLETION[urgency] * random.lognormvariate(-1.05, 0.55)
    kind = random.choices(("none", "faked", "real"), (45, 35, 20))[0]
    return Work(
        sign=0.05, contact=None if kind == "none" else 0.08, spoke=kind == "real", resolve=resolve,
        reply=random.choice(EMPTY if random.random() < 0.75 else GOOD), evidence=int(random.random() < 0.05),
        solved=False, false=True,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Word:
    """What a citizen says, so long after being asked."""

    after: timedelta
    resolved: Resolution
    satisfied: int
    reasons: tuple[str, ...]


def said(random: Random, done: Work, urgency: str) -> Word | None:
    """Draw what a citizen makes of a round; None from whom nobody hears."""
    if random.random() > ANSWERED:
        return None
    # Some are polite, some do not see what was done for them.
    solved = random.random() < (0.96 if done.solved else 0.08)
    resolved: Resolution = "yes" if solved else "partly" if random.random() < 0.25 else "no"
    late = not done.in_time(urgency)[1]
    pleased = {"yes": 0.9, "partly": 0.35, "no": 0.06}[resolved] - (0.15 if late else 0) - (0 if done.spoke else 0.1)
    satisfied = random.choice((4, 5, 5)) if random.random() < pleased else random.choice((1, 2, 2, 3))
    return Word(timedelta(hours=random.uniform(1, 90)), resolved, satisfied, _reasons(random, done, resolved, late))


def _reasons(random: Random, done: Work, resolved: Resolution, late: bool) -> tuple[str, ...]:
    if resolved != "no" or random.random() < 0.3:
        return ()
    found = [
        reason
        for reason, holds in (
            ("not_contacted", not done.spoke), ("nothing_done", done.false), ("slow", late),
            ("empty_reply", done.reply in EMPTY),
        )
        if holds and random.random() < 0.7
    ]  # fmt: skip
    return tuple(found)
