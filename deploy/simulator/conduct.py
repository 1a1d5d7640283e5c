"""How people behave, drawn from a seed: pure decisions, told apart by ticket, round and try.

The shares are this project's own guesses at a city that works fairly well, so that every branch of the loop is seen.
"""

from dataclasses import dataclass
from datetime import timedelta
from random import Random

GOOD = (
    "已派人到现场查看，问题属实，现已处理完毕，并与您电话确认恢复正常。",
    "经现场核实，当天已安排维修人员更换损坏部件，复查正常，后续每周巡查一次。",
    "已约谈责任方并完成整改，整改前后照片已存档，经回访您表示认可。",
    "已联系您核实情况，问题已解决；如再次出现，请直接拨打现场负责人电话。",
)
BOILERPLATE = (
    "您反映的问题已收悉，我单位高度重视，将按照相关规定研究办理，感谢您的理解与支持。",
    "经核实，该问题正在协调推进中，请您耐心等待。",
    "已转相关部门处理，感谢您对我们工作的监督。",
)
PROGRESS = ("已到现场查看，正在组织维修。", "已联系责任单位，约定今日上门。", "配件已下单，到货后立即更换。")
GROUNDS = (
    ("not_our_duty", "该事项不属于我单位职责范围，建议由行业主管部门办理。"),
    ("not_our_area", "经核实，点位不在我单位辖区内。"),
    ("unclear", "诉求人未说明具体位置，多次联系未果。"),
)
RULING = "经核对职责清单作出裁定。"
HOURS_TO_SOLVE = {"urgent": 0.6, "livelihood": 5.0, "general": 10.0, "complex": 30.0}
"""The median; one in ten takes three times as long."""
HOURS_TO_MISS = {"urgent": 3.0, "livelihood": 30.0, "general": 190.0, "complex": 400.0}
"""How late the silent are: past the limit of their class."""
HOURS_ALLOWED = {"urgent": 2, "livelihood": 24, "general": 168, "complex": 360}
"""Beyond it a citizen finds that it took long."""
SOLVED = 0.88
"""How often a citizen says that it is solved, where nothing is to be found fault with."""
LEFT_BY_PHRASE, LEFT_BY_SILENCE, LEFT_BY_DELAY = 0.4, 0.6, 0.55
"""So much of it is left by a reply that says nothing, by a unit that never called, and by one that took long."""
PARTLY = 0.4
"""Of what is not solved, so much is so in part."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a citizen saw of how a unit worked: its reply, whether it called, whether it took long."""

    reply: str
    contacted: bool = True
    late: bool = False


@dataclass(frozen=True, slots=True)
class Work:
    """What a unit does with an order, each step after a while: return it; or sign, call, note, answer."""

    begin: timedelta
    back: tuple[str, str] | None
    contact: timedelta | None
    progress: tuple[timedelta, str] | None
    resolve: timedelta
    reply: str

    @property
    def whole(self) -> timedelta:
        """How long it takes from the order to the answer."""
        steps = (self.begin, self.contact, self.progress[0] if self.progress else None, self.resolve)
        return sum((step for step in steps if step), timedelta())

    def seen(self, urgency: str) -> Seen:
        """Return what the citizen sees of it."""
        late = self.whole > timedelta(hours=HOURS_ALLOWED[urgency])
        return Seen(self.reply, self.contact is not None, late)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a citizen says once asked, after a while; `resolved` None is a citizen who says nothing."""

    after: timedelta
    resolved: str | None
    satisfied: int = 0


def work(random: Random, urgency: str, round_: int) -> Work:
    """Draw how a unit works on an order; in a later round nobody dares to send it back, or a phrase."""
    hours = HOURS_TO_SOLVE[urgency] * random.lognormvariate(0, 0.85)
    if random.random() < 0.06:
        hours = HOURS_TO_MISS[urgency] * random.uniform(1, 1.3)
    first = round_ == 1
    calls, notes, phrase = random.random() < 0.9, random.random() < 0.4, random.random() < (0.25 if first else 0.08)
    return Work(
        begin=timedelta(hours=hours * random.uniform(0.03, 0.12)),
        back=random.choice(GROUNDS) if random.random() < 0.05 and first else None,
        contact=timedelta(hours=hours * 0.1) if calls else None,
        progress=(timedelta(hours=hours * 0.3), random.choice(PROGRESS)) if notes else None,
        resolve=timedelta(hours=hours * 0.5),
        reply=random.choice(BOILERPLATE if phrase else GOOD),
    )


def chance(seen: Seen) -> float:
    """Return how often a citizen who saw this says that it is solved: phrase, silence and delay each leave less."""
    solved = SOLVED * (LEFT_BY_PHRASE if seen.reply in BOILERPLATE else 1)
    return solved * (1 if seen.contacted else LEFT_BY_SILENCE) * (LEFT_BY_DELAY if seen.late else 1)


def verdict(random: Random, seen: Seen) -> Verdict:
    """Draw what a citizen says of what they saw."""
    after, solved = timedelta(hours=random.uniform(0.2, 4)), chance(seen)
    shares = (solved, (1 - solved) * PARTLY, (1 - solved) * (1 - PARTLY))
    resolved = random.choices(("yes", "partly", "no"), shares)[0]
    satisfied = {"yes": (4, 5, 5, 5), "partly": (2, 3, 3, 4), "no": (1, 1, 2)}[resolved]
    if random.random() < 0.2:
        return Verdict(after, None)
    return Verdict(after, resolved, random.choice(satisfied))


def upheld(random: Random) -> bool:
    """Draw whether a return is right."""
    return random.random() < 0.55


def call(random: Random) -> str | None:
    """Draw how a seat's call ends: `no_answer`, `refused`, or None when the citizen talks."""
    return random.choices((None, "no_answer", "refused"), (74, 22, 4))[0]
