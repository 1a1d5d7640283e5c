"""What the names of places end in, and what stands before them: patterns over text in one spelling and lower case."""

import re

ESTATE, ROAD, VILLAGE, VENUE, STATION, LINE, SITE = range(1, 8)
"""Kinds of names."""
BUILDING, YARD, DOOR, GATE, EXIT, FACILITY = range(1, 7)
"""Kinds of numbers. A facility is one of several at a place: lift 2, pump 3."""


def _any(words: str) -> str:
    return "|".join(words.split())


_NUMBER = "(?:[0-9]{1,4}|[一二三四五六七八九十百]{1,4})"
_HAN = "一-鿿"
_WING = "[东西南北中][里园苑院](?!面)"
_ZONED = (
    "[东西南北]?[0-9一二三四五六七八九十]{1,3}(?:[区期](?!别)|里(?![屯庄河桥坨铺店营台地路]))|"
    f"(?<=[{_HAN}])[东西南北中]区"
)
# 通惠河北路 is a road, 铁医路小区 an estate, 青年路站 a station.
_NO_ROAD = "(?![东南西北中]{0,2}(?:大街|[路街桥巷]|胡同))"
_NO_ESTATE = "(?!小区|社区|家园|[东西南北中][里园苑院]|[东西南北]?[0-9一二三四五六七八九十]{1,2}[区里])"
_NO_STATION = "(?!(?:地铁)?站)"
_ROADS = _any(
    "(?:街|路|胡同|[东西南北])[一二三四五六七八九十]{1,2}[条巷] "
    "大街 大道 胡同 高速 [二三四五六]环路? 环路 [东南西北]?街(?!道) [东南西北]?路(?![灯面障况途人过由线]) 巷 立交桥 "
    "桥(?![东西南北中]{0,2}[路街])"
)
_VENUES = _any(
    "公园 景区 小学 中学 学校 大学 学院 幼儿园 医院 卫生院 诊所 市场 超市 商场 购物中心 广场(?!舞) 大厦 "
    "写字楼 酒店 宾馆 饭店 餐厅 饭馆 酒楼 面馆 火锅店? 包子铺 烧烤店? 烤鱼 烤鸭店 小吃店 ktv 酒吧 网吧 "
    "歌厅 台球厅 棋牌室 营业厅 驾校 会所 浴池 洗浴(?!中心) 中心(?![街路小学]) 银行 健身房 "
    "健身(?!器|设|步|操) 美容院 理发店 药店 便利店 水果店 养老院 敬老院 公司 工厂 厂 "
    "[河湖](?!公园|.?[东南西北中]{0,2}[路街](?![灯口边面])) "
    "水库 体育馆 图书馆 博物馆 影院 加油站 停车场 产业园 工业区 店 铺 馆"
)
# Endings that make a name by themselves, by kind; the longer of two that start at one place stands first.
_ENDINGS = {
    ESTATE: f"小区|社区|[家佳嘉馨花]园|公寓|苑|新村|新城|国际城|别墅|家属院|宿舍|{_ZONED}",
    ROAD: f"(?:{_ROADS}){_NO_ESTATE}{_NO_STATION}",
    VILLAGE: f"村(?!民|委){_NO_ROAD}{_NO_ESTATE}",
    STATION: f"(?:(?:长途)?(?:汽车|客运)|长途|地铁|火车)?站{_NO_ROAD}",
    VENUE: f"(?:{_VENUES}){_NO_ROAD}{_NO_ESTATE}",
}
# Endings that make one only before a number or an estate's own word, for they end common words too: 里, 园, 庄.
_WEAK = f"[里园庄城府湾居庭轩坊营屯寺门](?=小区|社区|[东西南北]?{_NUMBER}(?:区|号|栋|幢|#)|[东西南北]区|⟦)"
_LOOSE = f"[里园](?!{_NUMBER}|[东西南北中]?(?:小区|社区|区|里))"
ENDING = re.compile(
    f"(?P<w{ESTATE}>{_WING}|{_WEAK})|(?P<r{ESTATE}>{_LOOSE})|"
    + "|".join(f"(?P<k{kind}>{words})" for kind, words in _ENDINGS.items())
)
"""The last character of a group's name is the kind; `r` is for what ends a name only where nothing else is near."""
BEFORE = re.compile(
    ".*(?:"
    + _any(
        "位于 住在 住 在 是 们 我 你 他 她 到 从 去 给 把 被 了 的 过 着 对面 旁边 附近 门口 楼下 楼上 底商 "
        "门前 [东南西北]门 投诉 反映 举报 咨询 请问 建议 希望 关于 前面 后面 这边 那边 整个 这个 那个 有个 "
        "有家 一家 本人 上午 下午 早上 晚上 每天 昨天 今天 刚才 时间 时候 路边 [区村院]里 沿线 最近 近期 全 号 "
        "[路门出街村入井]口 因为 由于 因 为 对 请 说 听 想 也 就 还 很 没 不 [0-9]路 [与跟及、]"
    )
    + ")",
    re.DOTALL,
)
"""What cannot be part of a name, up to its last occurrence before one."""
# Words that only look like a name: 马路, 这条路, 换热站; those of the second part only where next to nothing precedes.
_GENERAL = (
    "物业 供热 供电 燃气 热力 自来水 供水 排水 环卫 快递 物流 中介 装修 施工 公交 客运 科技 保险 搬家 "
    "建筑 便民 服务 活动 卫生 购物 洗浴 菜 小 大 开发 社区 儿童 街道 政府 停车 工作 学 酒 饭 餐"
)
_LOOK_ALIKE = {
    ROAD: (
        "[马走道公铁线电半迷让堵岔土小主辅修过水出后封问顺条段整逛上下沿临当扫拦占绕带夜每那这哪改行人跑赶挡坏烂好里天立架限]",
        "门前 旁 十字 丁字 一 两 几",
    ),
    VILLAGE: ("[农乡全我本这那各每咱]", "新农"),
    STATION: ("[一二三四五六七八九十几两0-9菜网热桶圾充电加油变换供服泵驿公务检转收工交车修运甩]", "地铁"),
    ESTATE: ("[本该各全我们每这]|[我你]家|老旧|居民|附近|周边|封闭|开放|商品房|安置", "小 大"),
    VENUE: (
        "[本该各每这那家某上段条证成黑促闭开关进出问求让找一两几升读念上]|孩子|[大二]宝|女儿|儿子|娃",
        _GENERAL,
    ),
}
COMMON = {kind: re.compile(f".*(?:{ends})|.?(?:{_any(wholes)})") for kind, (ends, wholes) in _LOOK_ALIKE.items()}
"""By kind: what before an ending makes a common word of it."""
INSIDE = re.compile(
    "[区园校子家道间厢机梯房店场河水城站内包袋院公果菜动植儿乐田庄花屋夜村车这那哪手心嘴洞泡管桶盒柜箱缝沟池井桌]$"
)
"""What 里 and 园 make no estate with: 小区里, 学校里, 公园, 校园."""
ZONE = re.compile(
    f"(?P<wing>{_WING})?(?:小区|社区)?"
    f"(?P<zone>[东西南北]?[甲乙]?{_NUMBER}(?:区|期|里|条|社区)|(?<=[{_HAN}])[东西南北中]区)?"
)
"""What tells neighbours of one name apart, right behind it."""
_FACILITY = "(?:[电直客货扶滚]?梯|充电[桩枪]|桩|枪|门禁|单元门|道闸|闸机|水?泵|锅炉|变压器|窗口|机组|停车场|车库)"
NUMBERED = re.compile(
    f"(?P<facility>{_NUMBER}) ?(?:号|#|单元|部|台)的?{_FACILITY}|(?:elevator|lift|escalator) (?P<no>[0-9]{{1,2}})|"
    f"(?P<letter>[a-z])座|(?P<tall>[0-9]{{3,4}}|(?<=[区园里苑院])[0-9]{{1,4}})楼|building (?P<english>[0-9]{{1,3}})|"
    f"(?P<sign>[甲乙丙丁]?)(?P<n>{_NUMBER}) ?(?P<what>号楼|号院|[栋幢]|#楼?|号(?!线|地铁|[早上下晚午]|口))|"
    "(?P<gate>[东南西北]{1,2})门|(?P<exit>[a-h][0-9]?|[东西][南北])(?:出?口)"
)
LINED = re.compile(
    f"地铁 ?(?P<metro>{_NUMBER}) ?号线|(?P<metro2>{_NUMBER}) ?号线|line (?P<metro3>[0-9]{{1,2}})|"
    "(?P<bus>(?:运通|快速公交|特|专|快|夜|郊)? ?[0-9]{1,3}) ?路(?:公交车?|公共汽车|快车|支线)?(?!口)|"
    "(?P<bus2>(?:运通|特) ?[0-9]{1,3})"
)
BESIDE = re.compile("(?:[口门侧旁边段内处里外中头上下区栋楼院角]|附近|交叉|对面|周边|沿线|街道|底商|工地)$")
"""What tells a spot beside a name and is no name itself."""
NUMBER = re.compile(_NUMBER)
HAN = re.compile(f"[{_HAN}]{{2,10}}")
LATIN = re.compile("[a-z]+")
COMPANY = re.compile("(?<=..)(?:有限公司|公司)$|(?<=...)[店房铺]$|(?<=洗浴)中心$")
"""What is said of a business or left out."""
