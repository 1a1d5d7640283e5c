"""A language model that helps with what the model is not sure of: any endpoint of OpenAI's form, off unless it is set.

It only ever chooses among the questions that were offered, copies from the appeal, and sums it up; whatever it does not
answer, answers late or wrongly, goes on as if there were none.
"""

from services.classify.assistant.asking import Asked, NoAnswerError
from services.classify.assistant.assistant import Assistant
from services.classify.assistant.breaker import BreakerState
from services.classify.assistant.budget import Cost

__all__ = ["Asked", "Assistant", "BreakerState", "Cost", "NoAnswerError"]
