"""Companies and organisations that an appeal names, by how such names end. A kind without a name is none: 物业公司."""

from collections.abc import Sequence


def _words(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


ENDINGS = tuple(
    _words("""
    有限责任公司 有限公司 分公司 公司 集团 工厂 厂 超市 商场 酒店 宾馆 饭店 餐厅 餐馆 酒楼 店 医院 诊所 药房
    药店 学校 小学 中学 大学 学院 幼儿园 银行 物业 健身房 驾校 俱乐部 研究院 市场 加油站 养老院 敬老院 影城 网吧
    派出所 居委会 村委会 合作社 中介
    """)
)
_LAST = frozenset(ending[-1] for ending in ENDINGS)
_PARTS = _words("""
    有限 责任 股份 管理 服务 控股 科技 发展 投资 置业 地产 房地产 物业 物业管理 实业 贸易 文化 传媒 教育 建设
    工程 建筑 装饰 公司 集团 第一 第二 附属 人民 中心
    """)
"""What names are made of, but no name by itself."""
_STOPS = _words("""
    的 了 在 被 把 给 是 有 我 你 他 她 它 我们 你们 他们 咱们 咱 这 那 这个 那个 这家 那家 一家 某家 某 某个 到
    去 从 和 与 跟 对 向 找 说 让 叫 由 及 以及 于 为 因 因为 就 都 也 还 又 再 不 没 没有 将 要 想 会 能 请
    请问 投诉 举报 反映 咨询 建议 表扬 感谢 希望 关于 联系 询问 来电 市民 先生 女士 业主 居民 附近 旁边 对面
    门口 楼下 楼上 隔壁 里面 外面 后面 前面 里 上 下 内 外 旁 前 后 边 家 个 各 每 该 本 其 此 所 所有 很多 许多
    几家 几个 多家 现在 今天 昨天 之前 目前 一个 两个 去年 今年 时候 开 做 买 卖 住 上班 工作 打 打电话 问 告诉
    归 属 属于 通过 经过 要求 负责 新 旧 老 大 小 好 坏 管 找到 位于 进 出 叫做 名叫 名为 名字 什么 哪 哪家 哪个
    怎么 如何 多少 施工 拖欠 欠 私人 民营 整个 全 其他 别的 别 另 另外 同 但 但是 而 并 且 小区 学生 孩子 老师
    开发商 承包商 甲方 国有 国企 私企 上市 当地 本地 一些 有些 建 经营 去过 路过 路 正规 无证 非法 黑 知名
    """)
"""What no name goes on beyond."""
_GENERIC = _words("""
    燃气 自来水 供水 供电 供热 热力 电力 公交 地铁 保险 装修 快递 物流 搬家 家政 劳务 网约车 出租车 贷款 中介
    开锁 保安 保洁 施工 维保 电梯 通信 网络 环卫 停车 停车场 房产 租房 旅游 食品 化工 水泥 砂石 钢铁 养殖 定点
    社区 公立 私立 三甲 三级 民办 私 菜 农贸 农产品 建材 批发 二手车 二手 儿童 宠物 火锅 便利 早餐 小吃 烟酒
    水果 理发 美容 美发 洗车 修车 汽修 烧烤 蛋糕 奶茶 服装 手机 眼镜 房屋 总 分 子 母 培训 中 高 村 乡 镇 区 县
    市 省 商
    """)
"""Kinds of organisations."""
_LONGEST = 6
"""Words of a name before its ending; what is longer is a sentence."""


def companies(words: Sequence[str]) -> tuple[str, ...]:
    """Return the organisations that a text cut into words names, each once."""
    ends = [at for at, word in enumerate(words) if word[-1] in _LAST and word.endswith(ENDINGS)]
    last = [at for at in ends if not (at + 1 < len(words) and words[at + 1].endswith(ENDINGS))]
    return tuple(dict.fromkeys(filter(None, (_name(words, at) for at in last))))


def _name(words: Sequence[str], at: int) -> str | None:
    """Return the name that ends in a word, None if nothing of it tells it from others of its kind."""
    first = at
    while first > 0 and at - first < _LONGEST and _belongs(words[first - 1]):
        first -= 1
    parts = words[first : at + 1]
    return "".join(parts) if any(map(_tells, parts)) else None


def _belongs(word: str) -> bool:
    return word.isalnum() and word not in _STOPS


def _tells(part: str) -> bool:
    """Say whether a word with its ending taken off is a name: 燃气公司 as one word is none."""
    if part in _GENERIC or part in _PARTS:
        return False
    ending = max((ending for ending in ENDINGS if part.endswith(ending)), key=len, default="")
    bare = part.removesuffix(ending)
    return len(bare) > 1 and not (bare in _GENERIC or bare in _PARTS or bare in _STOPS)
