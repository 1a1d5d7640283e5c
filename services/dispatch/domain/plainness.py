"""How plainly a reply speaks, in figures: for who measures how well work goes without asking. Plain rules on words."""

import re

from libs.common.contracts.dispatch import ReplyWords
from services.dispatch.domain.replies import clauses, concrete, empty_phrases

_SENTENCES = re.compile(r"[。！？!?\n\r]+")
_HAN = re.compile(r"[一-鿿]")
_OFFICIALESE = re.compile(
    r"统筹|协同|闭环|抓手|赋能|压实|压紧|属地(管理|责任)|牵头|部署|研判|专班|台账|常态化|长效|机制|精细化|网格化"
    r"|依法依规|履职|主体责任|合力|联动|督导|督促|指导|推进|落地|见效|举措|工作(要求|安排|部署|原则)|有关规定"
    r"|综合施策|多措并举|高位|层层|扎实|有力|有序|充分|大力|全面|深入|此复|特此|该(同志|业主|小区|单位|事项)|之(规定|要求)|予以|给予|鉴于|均(已|属|系)|系(属|因)"
)
"""Words of offices that nobody says at the door. Counted, not forbidden."""


def reply_words(reply: str) -> ReplyWords | None:
    """Return how a reply in Chinese speaks; None for one in another language, or without a word."""
    characters = len(_HAN.findall(reply))
    said = clauses(reply)
    if not characters or not said:
        return None
    sentences = [len(_HAN.findall(sentence)) for sentence in _SENTENCES.split(reply)]
    return ReplyWords(
        characters=characters,
        concrete=round(sum(map(concrete, said)) / len(said), 4),
        empty=round(100 * empty_phrases(reply) / characters, 4),
        officialese=round(100 * len(_OFFICIALESE.findall(reply)) / characters, 4),
        sentence=round(sum(sentences) / max(1, sum(map(bool, sentences))), 2),
    )
