"""Names by which a person or a car is reached or known: mail, WeChat, QQ, number plates."""

import re

from libs.common.runtime.privacy.finding import Span, digits_of, rule

_PLATE_DIGITS = 3


def _plate(found: re.Match[str]) -> Span | None:
    """A plate has at most two letters behind its region."""
    return found.span() if len(digits_of(found.group("serial"))) >= _PLATE_DIGITS else None


def _wechat(found: re.Match[str]) -> Span | None:
    """Without 号 or a colon before it, a plain word (微信支付 app, WeChat account) is no id."""
    told = found.group("told").strip() or any(char in "0123456789_" for char in found.group("it"))
    return found.span("it") if told else None


_LETTER = "[A-Za-z0-9]"
_REGION = "[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼]"
_SERIAL = rf"(?:{_LETTER}{{5,6}}|{_LETTER}(?: {_LETTER}){{4,5}}|{_LETTER}{{2,3}}[ .\-]{_LETTER}{{2,3}})"
# Trailers, driving schools, police cars and cars from Hong Kong and Macau end in a character (GA 36-2018).
_SPECIAL = rf"{_LETTER}{{4}}[学警港澳挂]"
_DOMAIN = r"(?:[A-Za-z0-9\-]{1,63}[.。]){1,4}[A-Za-z]{2,24}"

RULES = (
    rule("email", rf"[A-Za-z0-9._%+\-]{{1,64}} ?@ ?{_DOMAIN}"),
    rule("plate", rf"{_REGION} ?[A-Za-z][ .\-]{{0,3}}(?P<serial>{_SPECIAL}|{_SERIAL})(?!{_LETTER})", _plate),
    rule("qq", r"(?i:qq|扣扣)[号码是为: ]{0,5}(?P<it>[1-9][0-9]{4,10})(?![0-9])"),
    rule(
        "wechat",
        r"(?i:微信|薇信|wechat|weixin|(?<![a-z])[vw]x)(?P<told> ?(?:号码?|(?i:id))?(?: ?[是为:])?)(?: is)? {0,2}"
        r"(?P<it>[A-Za-z][A-Za-z0-9_\-]{5,19})(?![A-Za-z0-9_\-])",
        _wechat,
    ),
)
