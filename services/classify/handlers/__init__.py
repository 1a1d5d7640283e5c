"""What classify does, by concept."""

from services.classify.handlers.around import Bench, Engine, Here
from services.classify.handlers.disputing import may_settle, unit_of
from services.classify.handlers.hotspots import watch
from services.classify.handlers.judging import ALARM, MEMORY, TIMER, judge, on_alarm, on_event, on_timer, prepare, renew
from services.classify.handlers.knowledge import (
    ARTICLE,
    Imported,
    answer_complaint,
    complain,
    find,
    import_articles,
    on_article,
    text_of,
)
from services.classify.handlers.language_model import assist, deepen, forget_answers
from services.classify.handlers.models import (
    challenge,
    count_judged,
    dismiss,
    do_runs,
    drift_of,
    request_run,
)
from services.classify.handlers.versions import (
    able,
    activate,
    begin,
    keep_current,
    read_version,
    roll_back,
    take_in,
)

__all__ = [
    "ALARM",
    "ARTICLE",
    "MEMORY",
    "TIMER",
    "Bench",
    "Engine",
    "Here",
    "Imported",
    "able",
    "activate",
    "answer_complaint",
    "assist",
    "begin",
    "challenge",
    "complain",
    "count_judged",
    "deepen",
    "dismiss",
    "do_runs",
    "drift_of",
    "find",
    "forget_answers",
    "import_articles",
    "judge",
    "keep_current",
    "may_settle",
    "on_alarm",
    "on_article",
    "on_event",
    "on_timer",
    "prepare",
    "read_version",
    "renew",
    "request_run",
    "roll_back",
    "take_in",
    "text_of",
    "unit_of",
    "watch",
]
