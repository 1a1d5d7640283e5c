"""Names people give of themselves and of others, told from common words by what stands around them.

Best effort for third parties: a name that no word announces and no title follows stays.
"""

import re

from libs.common.runtime.privacy.finding import Span, rule
from libs.common.runtime.privacy.known import NO_NAMES

_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许邓韩冯曹彭曾肖萧田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢姚沈钟"
    "姜崔谭陆范汪廖石金韦贾夏付傅方邹熊白孟秦邱侯江尹薛闫阎段雷龙黎史陶贺毛郝顾龚邵万覃武钱戴严莫孔向常汤康易乔赖"
    "文施洪辛温牛樊葛邢安齐庄伍庞颜倪聂章鲁岳翟殷詹申耿关焦左柳甘祝包宁尚符舒阮柯纪梅童凌毕单季裴霍涂成苗谷盛曲冉"
    "翁蓝路游靳柴蒙鲍华喻祁蒲滕屈饶牟艾尤时穆卓古吉缪简项连芦麦褚娄窦戚岑景宫费卜冷晏席卫米柏宗瞿桂佟应臧闵苟邬边"
    "卞姬仇栾隋刁沙荣巫寇桑郎甄丛仲虞敖巩佘池查麻迟邝封鞠荆郁胥储栗燕楚鄢谌奚粟冼蔺厉郜阚练廉禹解丘"
)
_COMPOUND = "欧阳|上官|司马|诸葛|司徒|皇甫|尉迟|公孙|慕容|令狐|夏侯|长孙|宇文|端木|南宫|呼延|轩辕|申屠|淳于|钟离"
# Common words that open with a surname and stand where a name may stand.
_WORD_LIST = """
高中 高三 高二 高一 高考 高校 高龄 高级 高度 高血 高兴 高位 高管 高层 高铁 高新 万分 万一 万科 万达 单亲 单位 单身
单独 单元 安徽 安全 安装 安置 安定 安心 江苏 江西 江北 江南 江宁 金融 金额 金牌 石景 石家 石油 石材 石头 方庄 方便
方面 马上 马家 马路 马驹 白领 白天 白内 应届 应该 应急 应当 应聘 常住 常年 常客 常常 于是 于今 于本 于昨 于上 向阳
向来 连续 连夜 连云 成都 成年 成人 成员 武汉 武警 郑州 郑重 徐州 温州 温泉 温馨 沈阳 苏州 杭州 宁波 宁夏 黄村 黄山
黄冈 孙女 孙子 游客 路过 路边 路上 路人 路口 路段 路灯 解放 解决 史上 古城 古稀 何时 何人 何况 何必 何处 何去 曾经
曾多 曾于 曾在 曾向 任何 任职 任教 任意 任务 任期 申请 申报 申诉 毕业 程序 尚未 关于 关心 关注 关切 关系 关爱 华侨
华人 华为 时常 时刻 时间 严重 严格 周边 周围 周末 周一 周二 周三 周四 周五 周六 周日 许多 许久 文化 文盲 季度 季节
牛街 梅园 卫生 施工 陆续 余下 余款 莫名 易地 易燃 龙泽 龙湖 龙头 顾客 项目 童年 查询 查看 麻烦 冷水 费用 席位 宗教
包工 包括 包裹 包租 包容 甘肃 左右 左手 左边 章程 颜色 范围 田地 田间 夏天 夏季 雷电 雷雨 沙河 池塘 景区 景观 吉林
简单 简直 练习 储户 封闭 边上 祝福 祝您 汤泉 胡乱 胡同 胡说 贺电 康复 康师 舒适 符合 殷切 谢谢 张贴 保安 公安 治安
蒙受 许可 付出 付费 付款 查明 查证 解释 解惑 辛苦 安排 安宁 安居 宁静 陈述 成绩 成立 游行 石灰 方自 照顾 关照 施展
"""
_WORDS = frozenset(_WORD_LIST.split())
_NEVER_GIVEN = frozenset("的了在是我你您他她它们不没就也都很还被把给跟让吗呢吧啊哦呀这那么什谁哪几请问住个位因所但或姓")
_TITLE = "(?:先生|女士|小姐|太太|大爷|大妈|大娘|大姐|大哥|大叔|叔叔|阿姨|奶奶|爷爷|师傅)"
_BEFORE_FULL_NAMES = frozenset(("先生", "女士", "小姐"))
# These surnames are prepositions and adverbs as often: before a title they count where a name can begin.
_ALSO_WORDS = frozenset("于向时应连单常成曾")
_ENDS_OF_PLACES = frozenset("城镇县区市村街路年月日")
_FULL_STOP = re.compile(r"\Z|[\s,.。!;:(]")
_CAN_BEGIN = frozenset("是叫主民户人")
_FIRST_HAN, _LAST_HAN = "\u3400", "\u9fff"
_HAN = f"[{_FIRST_HAN}-{_LAST_HAN}]"
_CERTAIN_END = re.compile(rf"\Z|(?!{_HAN})")
_LIKELY_END = re.compile(
    f"{_TITLE}|同志|反映|反应|投诉|举报|咨询|求助|建议|来电|致电|打电话|家住|现|家庭|电话|手机|联系|身份证|今年|[想住曾因由向称说]|"
    "要求|希望|户籍|来自|自己|您好|你好|表示|[是的在于我你他她了]|[女男][,，]|每天|天天|购买|租住|本人|通过|打算"
)
_MAYBE_END = re.compile("[和与及等有家给要去到从将又]")
_GIVEN_AT_MOST = 2
_CERTAIN, _LIKELY, _MAYBE, _UNLIKELY = 3, 2, 1, 0
_FAMILY = re.compile(f"(?:{_COMPOUND}|[{_SURNAMES}])")
_TITLED = re.compile(_TITLE)


def _ending(text: str, at: int) -> int:
    """Tell how likely a name ends here."""
    if _CERTAIN_END.match(text, at):
        return _CERTAIN
    if _LIKELY_END.match(text, at):
        return _LIKELY
    return _MAYBE if _MAYBE_END.match(text, at) else _UNLIKELY


def _can_be_given(given: str) -> bool:
    return all(_FIRST_HAN <= char <= _LAST_HAN and char not in _NEVER_GIVEN for char in given)


def _name_end(text: str, start: int, least: int) -> int | None:
    """Where the name that starts here ends: before a title, or behind the given name whose end is likeliest.

    A given name has one or two characters; where nothing tells them apart, two are more common.
    """
    family = _FAMILY.match(text, start)
    if not family or text[start : start + 2] in _WORDS:
        return None
    if _TITLED.match(text, family.end()):
        return family.end()
    ends = [family.end() + length for length in (1, 2) if _can_be_given(text[family.end() : family.end() + length])]
    rated = [(_ending(text, end), end) for end in ends if end <= len(text)]
    best = max(rated, key=lambda entry: (entry[0], -entry[1] if entry[0] == _LIKELY else entry[1]), default=(-1, 0))
    return best[1] if best[0] >= least else None


def _announced(found: re.Match[str]) -> Span | None:
    end = _name_end(found.string, found.end(), _UNLIKELY)
    return (found.end(), end) if end else None


def _perhaps_announced(found: re.Match[str]) -> Span | None:
    """Behind words that go on in many other ways (我是…, 业主…) only what ends like a name is one."""
    start, text = found.end(), found.string
    end = _name_end(text, start, _LIKELY)
    if end is None or text[end - 1] in _ENDS_OF_PLACES:
        return None
    is_word = text[start] in _ALSO_WORDS and not _FULL_STOP.match(text, end)
    return None if is_word else (start, end)


def _field(found: re.Match[str]) -> Span | None:
    return None if found.group("it") in NO_NAMES else found.span("it")


def _family(found: re.Match[str]) -> Span | None:
    start = found.start("it")
    return None if found.string[start : start + 2] in _WORDS else found.span("it")


def _titled(found: re.Match[str]) -> Span | None:
    """Look back from a title: 王女士, and for some titles the whole name (王小明先生)."""
    text, title = found.string, found.start()
    lengths = (1, 2, 3, 4) if found.group() in _BEFORE_FULL_NAMES else (1, 2)
    for start in (title - length for length in lengths if length <= title):
        family = _FAMILY.match(text, start, title)
        if (
            not family
            or title - family.end() > _GIVEN_AT_MOST
            or text[start : start + 2] in _WORDS
            or text[start - 1 : start + 1] in _WORDS
        ):
            continue
        before = text[start - 1 : start] if start else ""
        is_word = text[start] in _ALSO_WORDS and before not in _CAN_BEGIN and _FIRST_HAN <= before <= _LAST_HAN
        whole = family.end() == title or found.group() in _BEFORE_FULL_NAMES
        if whole and not is_word and _can_be_given(text[family.end() : title]):
            return start, title
    return None


def _english(found: re.Match[str]) -> Span | None:
    words = found.group("it").lower().split()
    return None if _NOT_ENGLISH_NAMES.intersection(words) else found.span("it")


_LABEL = "(?:姓名|名字|联系人|投诉人|反映人|举报人|来电人|申请人|当事人|诉求人|户主|机主|署名|落款)"
_PERSON = "(?:业主|住户|居民|市民|村民|租户|租客|邻居|网友|母亲|父亲|妻子|丈夫|儿子|女儿|老公|老婆|爱人)"
_FOREIGN = rf"{_HAN}{{1,8}}\.{_HAN}{{1,6}}?(?=\Z|(?!{_HAN})|{_LIKELY_END.pattern})"
_CAPITAL = r"[A-Z][A-Za-z'’\-]{0,20}"
_SMALL = r"[A-Za-z'’\-]{2,20}"
_ENGLISH_WORDS = """
a american an and angry at british calling chinese citizen customer driver from here i in living mayor new not of
owner please president resident sir so student teacher tenant the this too very writing
"""
_NOT_ENGLISH_NAMES = frozenset(_ENGLISH_WORDS.split())

RULES = (
    rule("name", rf"(?:我叫|名叫|叫做|姓名|联系人)[是为叫: ]{{0,2}}(?P<it>{_FOREIGN})"),
    rule("name", rf"(?:我叫|名叫|叫做|{_LABEL} ?[是为叫:]) ?", _announced),
    rule("name", rf"{_LABEL} ?: ?(?P<it>{_HAN}{{2,4}})(?!{_HAN})", _field),
    rule("name", rf"(?:我是|我就是|本人(?:名?叫|姓名|是)?|这里是|{_LABEL}|{_PERSON}) ?", _perhaps_announced),
    rule("name", rf"姓(?<!百姓)(?P<it>{_FAMILY.pattern})(?!名)", _family),
    rule("name", _TITLE, _titled),
)
ENGLISH = (
    rule("name", rf"(?i:my name is|my name's|name:) ?(?P<it>{_CAPITAL}(?: {_CAPITAL}\.?){{0,3}})", _english),
    rule("name", rf"(?i:my name is|my name's) (?P<it>{_SMALL}(?: (?!and|from|i |my |the |who|a )){_SMALL})", _english),
    rule("name", rf"(?:I am|I'm|I’m|i am|i'm) (?P<it>{_CAPITAL}(?: [A-Z]\.?)? {_CAPITAL}(?: {_CAPITAL})?)", _english),
    rule("name", rf"(?:Mr|Mrs|Ms|Miss)\.? (?P<it>{_CAPITAL}(?: {_CAPITAL})?)", _english),
)
