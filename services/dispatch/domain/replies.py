"""What a reply to a citizen lacks: said to the unit before it is sent, and told to who scores it. Plain rules on words.

A reply is taken apart into clauses. Those that only frame it (greetings, thanks, who signs and when) do not count;
those that say nothing (handed on, taken seriously, to be strengthened) do not either. What is left is what it says.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from libs.common.contracts.dispatch import ReplyFault
from libs.common.contracts.vocabulary import Kind
from services.dispatch.domain.orders import Order

_CLAUSES = re.compile(r"[。；！？!?;\n\r]+|　{2,}")
_PARTS = re.compile(r"[，,、：:]+")
_FRAME = re.compile(
    r"您好|你好|尊敬的|网友|收悉|已阅|知悉|(答|回)复如下|(答|回)复您|特此|此复|感谢|谢谢|祝您|欢迎|敬请|谅解|理解"
    r"|支持和|支持与|^(一|二|三|四|五|六)$|^\d{4}年\d{1,2}月\d{1,2}日|(局|委|办|街道|政府|中心|公司|办公室)\d{4}年"
    r"|^[〇○一二三四五六七八九十年月日\d\s.]+$"
)
_EMPTY = re.compile(
    r"已(经)?(转|交|批转|移交|呈|报|通知|责成|安排)[^，。]{0,24}(办理|处理|调查|核实|研究|阅|落实|处置|部门|单位)"
    r"|(转|交)(至|给|由|交|办)[^，。]{0,24}(部门|单位|办理|处理|调查|核实|研究|局|委|政府|街道)"
    r"|高度重视|十分重视|非常重视|引起.{0,6}重视|认真(研究|调查|对待|处理)|正在(调查|核实|处理|办理|了解)"
    r"|调查核实(中|后)?"
    r"|(将|会|要)[^，。]{0,12}(进一步|继续|不断|认真|努力|积极|尽快|加强|加大|切实)|进一步(加强|加大|完善|提高|规范"
    r"|做好|推进)"
    r"|加强(管理|监管|监督|巡查|巡逻|宣传|力度|协调|整治|执法)|加大[^，。]{0,8}力度|切实(做好|解决|保障|维护)"
    r"|不断(提高|提升|完善)"
    r"|尽快(解决|处理|落实|答复|回复|办理)|及时(回复|答复|反馈|处理)|予以(关注|重视)|(关注|重视)(此|该)(事|问题)"
    r"|为(人民|群众|百姓|居民)服务"
    r"|(情况|问题|建议)(属实|已(知|了解|记录|登记))|(已|将)(记录|登记|纳入)|耐心等待|请您放心|作为(工作)?参考"
    r"|相关(部门|单位)|正在(协调|研究|推进)|按照?(相关|有关)(规定|政策|程序|要求)"
    r"|^\s*经[现场实地认真多方]{0,4}(调查|核实|核查|了解|研究)(核实)?后?\s*$"
)
_DONE = re.compile(
    r"(已|现已|业已|均已|并|并已|已经|于|及时|立即|当即|当场|当日|次日|随即|迅速|先后|多次|共|上午|下午"
    r"|日)[^，。]{0,26}?"
    r"(修|换|清理|清除|清运|清扫|拆除|整改|整治|退费|退款|放置|通知(各|其|相)|要求(各|其|企业|施工|物业|驾驶)|澄清"
    r"|处罚|罚款|查处|取缔|关停|停工|停业|安装|加装|疏通|恢复|发放|退还|支付|补发|完成|竣工"
    r"|办结|办理了|协调|约谈|召开|下达|下发|出具|劝离|劝导|教育|责令|勒令|查封|扣押|立案|移送|赶到|赶赴|前往"
    r"|到(达)?现场|走访|排查|检查"
    r"|检测|监测|施工|铺设|硬化|绿化|补种|消杀|告知|解释|沟通|联系|答复(了)?您|接入|开通|通(水|电|气)|供(水|电|气"
    r"|暖)|建成|拨付|调解|启动|开工"
    r"|改造|更新|升级|调整|划定|设置|增设|增派|撤|搬|停止|暂停)"
    r"|进行了|作出了|做出了|采取了|制定了|完成了|给予了|达成(了)?(协议|一致)|经[^，。：]{0,20}(调查|核实|核查)"
    r"|经(现场|实地|我|走访|调查|核查|查|核实"
    r"|了解|调取|检测|与)|(是|系|属)误会|现场(查看|勘查|核实|检查|调查|踏勘)"
)
_BASIS = re.compile(
    r"《|》|根据|依据|按照|依照|遵照|参照|规定|政策|文件|条例|办法|标准|法律|法规|第.{1,4}条|号\)|〔|合同|协议|规划"
    r"|批复|批准|备案|审批|许可|资质"
    r"|因(?!素)|由于|故|所致|考虑到|鉴于|受.{1,12}(限制|影响)|涉及"
)
_FACT = re.compile(
    r"\d+(\.\d+)?(余)?(元|万|亿|米|公里|平方|㎡|亩|天|日|个|户|人|名|次|条|辆|台|盏|处|栋|号|路|%|％|吨|小时|分钟"
    r"|年|月|点|所|家|起|份|层|周岁|岁)"
    r"|(可以|可(到|在|凭|向|持|通过|按)|不(能|可|得|属于|符合|存在|再|需|予|是|收|具备)|无法|没有|尚未|还未|未(发现|取得|达到"
    r"|办理|经|能|收到|接到|列入|纳入|在|按|对|开)"
    r"|属于|需(要|携带|提供|到|由)?|必须|应(当|由|该|按|到|向|在)|不应|如果|若|凡|是指|包括|即|为.{1,12}(元|人|户)"
    r"|位于|系|目前|现在|暂(无|未|不|时)|截至|截止"
    r"|计划|拟|预计|将(于|在|对|由|按|会同|组织|安排)|待.{2,20}(后|再)|年底|年内|月底|上旬|中旬|下旬|建议您|(选址"
    r"|地址|时间|位置|标准|价格)[^，。]{0,6}为|属[^，。]{1,15}(管辖|负责|职责|范围)|请(您)?(将|把|到|向|拨打|携带"
    r"|提供|与|联系|致电|咨询|直接|通过|登录|凭|持|业主|你)|另|同时|其中|目的|主要)"
)
_PROMISE = re.compile(
    r"将(于|会|在|督促|组织|安排|协调|积极|进一步|继续|充分|研究|会同|持续|加快|按|对|纳入|统筹|进行|尽快|认真)|(我"
    r"|该)[^，。]{1,8}会(积极|尽快|继续|向|将)"
    r"|下一步|尽快|拟(于|定|对|在)|择机|适时|力争|争取|正在(调查|核实|处理|办理|研究|协调|组织|编制|推进|开展|落实)"
)
_WHEN = re.compile(
    r"\d{1,4}\s*(年|月|日|号|天|周|个?工作日|小时|个月|季度)|(年|月|季度|学期|周|春节|国庆|汛期|供暖季)(底|末|初|前"
    r"|内|后|中)|今(天|日|年|明)|明(天|日|年)|本(月|周|年|季度)|下(个?月|周|半年)|上半年"
    r"|(上|中|下)旬|近(日|期)|即日|日前|[一二三四五六七八九十]+(个)?(月|日|天|年|周|工作日|季度)|第.季度|竣工|完工后"
)
_CONTACT = re.compile(
    r"⟦phone-\d+⟧|\d{3,4}[-—－ ]?\d{3,8}|(联系|咨询|服务|监督|举报|投诉)(电话|方式|人|热线|地址)|拨打|致电|热线"
    r"|来电|1[23]\d{3}"
)
_REFUSES = re.compile(
    r"不(予|同意|支持|受理|符合|便)|不属于.{0,12}(职责|管辖|范围|权限)|不能(办理|享受|申请|报销|解决|给予|拆|建"
    r"|安装|批|补|退|受理|支持|接)"
    r"|无法(办理|解决|满足|受理|实施|安装|建设|支持|进行|调查)|无权|没有(计划|依据|政策)|暂(不|无)(考虑|具备|计划"
    r"|予|能|法)|难以(解决|实施|满足)"
)
_DENIES = re.compile(
    r"(没有|未|不存在|并非|不是|无)[^，。]{0,12}(发现|发生|存在|组织|收取|违规|违法|情况|现象|行为|问题|计划|施工"
    r"|办理|批准)|均无|[均并]未|证照齐全|属[^，。]{1,15}(管辖|负责)|不属实|可以|属于|需要?"
)
_ANSWERS = (_DONE, _BASIS, _WHEN, _REFUSES, _DENIES)
"""What says what was done, or else why it is not, or when it will be."""
_NUMBERED = re.compile(
    r"(?:^|[\s　。；;：:，,])(?:[（(]?[1-9一二三四五六七八九][)）]|[1-9一二三四五六七八九][、.．]"
    r"|第[一二三四五六七八九](?:[、，,:：]|点))"
)
_INQUIRES = re.compile(
    r"^(?!.*(难道|凭什么|岂|良心|何在))"
    r".*(请问|什么时候|何时|多久|多少|哪|怎么(办|算|申请|交|办理)|如何|能否|能不能|是否|可否|可不可以|有没有|几(个"
    r"|月|号|点|年)|标准|流程|材料|依据)"
)
"""Of a question that wants to know something; others only rebuke."""
_WORD = re.compile(r"[一-鿿]{2,}|[A-Za-z0-9]{2,}")
LEAST_PAIRS = 6
"""Of what is asked: less are no words to find again."""
_HAN = re.compile(r"[一-鿿]")
_LATIN = re.compile(r"[A-Za-z]{2,}")
_COMMON_PAIRS = frozenset(
    _WORD.findall("""
    您好 你好 我们 你们 他们 这个 那个 一个 问题 情况 部门 相关
    领导 政府 希望 请问 谢谢 感谢 尊敬 反映 咨询 投诉 建议 解决
    处理 回复 答复 进行 没有 已经 现在 如果 可以 因为 所以 但是
    就是 还是 或者 以及 对于 关于 由于 根据 按照 有关 工作 单位
    居民 市民 群众 百姓 业主 小区 我市 本市 全市 什么 怎么 为什
    么时 时候 这样 那么 不能 不是 是不 能不 的是 了解 知道 自己
    大家 今年 去年 目前 书记 市长 是否 我是 我家 的问 的情 们的
    您的 我的 是我 有没 请求 求解 要求 严重 影响 多次 一直 至今
    现有 如下 办理 人员 管理 社会 生活 方面 加强 予以 及时
    """)
)
"""Pairs of characters that appeals and replies on any matter share."""


@dataclass(frozen=True, slots=True)
class Names:
    """What a city calls its districts, streets and towns, each with the name of the district that it is in."""

    district_of: Mapping[str, str]

    def named(self, text: str) -> dict[str, str]:
        """Return the places of the city that a text names, with their districts."""
        return {name: district for name, district in self.district_of.items() if name in text}


@dataclass(frozen=True, slots=True)
class Appealed:
    """What a reply is held against: the words of the appeal, its matter, and where it is."""

    words: str
    matter: str
    kind: Kind
    places: tuple[str, ...]


def appealed(order: Order) -> Appealed:
    """Return what the reply to an order is held against."""
    words = "\n".join(filter(None, (order.title, order.text)))
    places = tuple(filter(None, (order.district_name, order.street_name)))
    return Appealed(words, " ".join((*order.category, order.summary)), order.kind, places)


def reply_faults(reply: str, appeal: Appealed, names: Names) -> tuple[ReplyFault, ...]:
    """Return what a reply lacks. Without the words of the appeal it is not held against them.

    The rules know Chinese: a reply in another language is not judged.
    """
    if not _chinese(reply):
        return ()
    said = clauses(reply)
    if not any(map(concrete, said)):
        # Of what says nothing it goes without saying that it says neither what was done nor when.
        return ("boilerplate",)
    body = "。".join(said)
    found: dict[ReplyFault, bool] = {
        "nothing_done": _acts(appeal.kind) and not any(way.search(body) for way in _ANSWERS),
        "no_basis": bool(_REFUSES.search(body)) and not _BASIS.search(body),
        "no_date": _acts(appeal.kind) and _promises(body),
        "no_contact": not _CONTACT.search(reply),
        "other_place": _elsewhere(reply, appeal, names),
    }
    if appeal.words:
        found["off_topic"] = _off_topic(body, appeal)
        found["unanswered"] = not found["off_topic"] and _leaves_out(asks(appeal.words), reply)
    return tuple(fault for fault, is_so in found.items() if is_so)


def _chinese(reply: str) -> bool:
    """Say whether a reply is in Chinese: it has no more words in Latin letters than Chinese characters."""
    return len(_HAN.findall(reply)) >= len(_LATIN.findall(reply))


def clauses(reply: str) -> list[str]:
    """Return the clauses of a reply that are more than its frame."""
    return [clause for clause in (c.strip() for c in _CLAUSES.split(reply)) if clause and _unframed(clause)]


def _unframed(clause: str) -> bool:
    return any(part.strip() and not _FRAME.search(part) for part in _PARTS.split(clause))


def concrete(clause: str) -> bool:
    """Say whether a clause tells anything that is not true of every matter."""
    left = "，".join(part for part in _PARTS.split(clause) if not _FRAME.search(part) and not _EMPTY.search(part))
    return bool(_DONE.search(left) or _BASIS.search(left) or _FACT.search(left))


def empty_phrases(reply: str) -> int:
    """Return how many phrases of a reply say nothing."""
    return sum(1 for _ in _EMPTY.finditer(reply))


def _acts(kind: Kind) -> bool:
    """Say whether something is to be done, and not only to be answered."""
    return kind in {"help", "complaint", "report"}


def _promises(body: str) -> bool:
    """Say whether what is told is all still to come, with no word of when."""
    return bool(_PROMISE.search(body)) and not any(way.search(body) for way in (_DONE, _WHEN, _REFUSES, _DENIES))


def _elsewhere(reply: str, appeal: Appealed, names: Names) -> bool:
    """Say whether a reply names places of the city, and all of them are elsewhere than the appeal."""
    named = names.named(reply)
    if not named or not (appeal.places or names.named(appeal.words)):
        return False
    right = {*appeal.places, *names.named(appeal.words), *names.named(appeal.words).values()}
    return not any(place in right or district in right for place, district in named.items())


def _off_topic(body: str, appeal: Appealed) -> bool:
    pairs = _pairs(body)
    return len(pairs) >= 20 and not pairs & (_pairs(appeal.words) | _pairs(appeal.matter))


def asks(words: str) -> list[str]:
    """Return the several things that an appeal asks: its numbered points, or else its questions; none if it is one."""
    points = [part for part in _NUMBERED.split(words)[1:] if part.strip()]
    if len(points) < 2:
        questions = (part.split("。")[-1] for part in re.split(r"[？?]", words)[:-1])
        points = [question for question in questions if _INQUIRES.search(question)]
    return points if len(points) >= 2 else []


def _leaves_out(asked: Sequence[str], reply: str) -> bool:
    """Say whether a reply shares no word with one of several asks. One with as many points answers point by point."""
    if not asked or len(_NUMBERED.findall(reply)) >= len(asked):
        return False
    told = _pairs(reply)
    return any(len(pairs) >= LEAST_PAIRS and not pairs & told for pairs in map(_pairs, asked))


def _pairs(text: str) -> frozenset[str]:
    """Return the pairs of neighbouring characters in a text's Chinese and its Latin words, without common ones."""
    found: set[str] = set()
    for run in _WORD.findall(text):
        found |= {run[i : i + 2] for i in range(len(run) - 1)} if not run.isascii() else {run}
    return frozenset(found - _COMMON_PAIRS)
