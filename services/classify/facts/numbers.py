"""Numbers as people say them: 三百五, 两三千, 几十, 三十多, 二十来万, 1.2万; what is vague gives a range."""

import re

_DIGITS = {digit: i for i, digit in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2, "俩": 2, "仨": 3}
_UNITS = {"十": 10, "百": 100, "千": 1000}
_SCALES = {"万": 1e4, "w": 1e4, "W": 1e4, "亿": 1e8, "千": 1e3, "k": 1e3, "K": 1e3, "百": 1e2, "": 1.0}
_ABOUT = 0.1
"""How far off 来, 左右 and 大概 may be."""
_ABOUT_WORDS = "大概|大约|约|将近|近|差不多|好"
_BODY = r"\d{1,9}(?:\.\d{1,4})?|[零〇一二两俩仨三四五六七八九十百千几数]{1,12}"
_TAIL = "[一二三四五六七八九][千百十零一二三四五六七八九]{0,8}"
NUMBER = rf"(?:{_ABOUT_WORDS})?(?:{_BODY})[多余来几]?(?:万(?:{_TAIL})?|[亿wWkK千百])?多?"
"""A number in words or digits, as a regular expression without groups."""
_NUMBER = re.compile(
    rf"(?P<about>{_ABOUT_WORDS})?(?P<body>{_BODY})(?P<over>[多余来几])?(?:(?P<scale>[万亿wWkK千百])(?P<tail>{_TAIL})?)?"
    r"(?P<over_scale>多)?"
)
_PAIR = re.compile(r"([一二两三四五六七八])([二两三四五六七八九])(?=[十百千]|$)")
_SOME = re.compile(r"[几数]")


def span(words: str) -> tuple[float, float] | None:
    """Return the least and the most that a number in words may be; None if it is none."""
    found = _NUMBER.fullmatch(words)
    if found is None:
        return None
    low, high, step = _bounds(found["body"])
    scale = _SCALES[found["scale"] or ""]
    low, high = low * scale, high * scale
    if found["over"] and found["over"] != "来":
        high += step * scale - 1
    if found["tail"]:
        rest = _value(found["tail"])[0] * (scale / 10 if len(found["tail"]) == 1 else 1)
        low, high = low + rest, high + rest
    if found["over_scale"]:
        high += scale - 1
    if found["over"] == "来" or found["about"] not in (None, "好"):
        low, high = low * (1 - _ABOUT), high * (1 + _ABOUT)
    return round(low, 2), round(high, 2)


def _bounds(body: str) -> tuple[float, float, float]:
    """Return the least and the most of a number without its scale, and the step of its last digit that is not 0."""
    if body[0].isdigit():
        value = float(body)
        zeros = len(body) - len(body.rstrip("0")) if "." not in body else 0
        return value, value, 10.0**zeros
    low_words = _PAIR.sub(r"\1", _SOME.sub(_least, body))
    high_words = _PAIR.sub(r"\2", _SOME.sub("九", body))
    low, step = _value(low_words)
    return low, _value(high_words)[0], step


def _least(some: re.Match[str]) -> str:
    """十几 begins at 11, 几十 at 20."""
    return "一" if some.start() and some.string[some.start() - 1] in _UNITS else "二"


def _value(words: str) -> tuple[float, float]:
    """Return a number in Chinese words, and the step of its last digit; 三百五 is 350."""
    if not any(word in _UNITS for word in words):
        return float("".join(str(_DIGITS[word]) for word in words)), 1.0
    total, digit, unit = 0, 0, 1
    for word in words:
        if word in _UNITS:
            unit = _UNITS[word]
            total, digit = total + (digit or 1) * unit, 0
        else:
            digit = _DIGITS[word]
            unit = 1 if word in "零〇" else unit
    step = unit // 10 if digit and unit > 10 else 1
    return float(total + digit * step), float(unit if not digit else step)
