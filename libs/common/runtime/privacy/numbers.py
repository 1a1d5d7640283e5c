"""Long numbers that identify a person: identity cards, bank cards, telephones, passports."""

import re
from datetime import date

from libs.common.runtime.privacy.finding import GAP, NUMERAL, Span, digits_of, rule

# No number of these rules is shorter: a text without such a run is done with all of them at once.
LONG_RUN = re.compile(rf"{NUMERAL}(?:{GAP}{NUMERAL}){{6}}")

# The first two digits of an identity card name the province (GB/T 2260).
_PROVINCE = re.compile("1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3]")
_CARD_LENGTH = 18
_FEW_GROUPS, _DIGIT_BY_DIGIT = 4, 10
_IN_PAIRS = [1, 2, 2, 2, 2, 2]


def _is_day(year: str, month: str, day: str) -> bool:
    try:
        date(int(year), int(month), int(day))
    except ValueError:
        return False
    return True


def _checksum_holds(digits: str, last: str) -> bool:
    # ISO 7064 MOD 11-2, as GB 11643-1999 prescribes it.
    weighted = sum(int(digit) * pow(2, 17 - at, 11) for at, digit in enumerate(digits))
    return "10X98765432"[weighted % 11] == last.upper()


def _identity_card(found: re.Match[str]) -> Span | None:
    """A birth date that can be is enough, for citizens mistype; so is the checksum, if nothing splits the digits."""
    text = found.group()
    digits, last = digits_of(text[:-1]), digits_of(text[-1]) or "X"
    if not _PROVINCE.match(digits):
        return None
    born = digits[6:8] in ("18", "19", "20") and _is_day(digits[6:10], digits[10:12], digits[12:14])
    return found.span() if born or (len(text) == _CARD_LENGTH and _checksum_holds(digits, last)) else None


def _old_identity_card(found: re.Match[str]) -> Span | None:
    """Fifteen digits, as issued until 1999: the year of birth has two, and there is no checksum."""
    digits = digits_of(found.group())
    born = _is_day("19" + digits[6:8], digits[8:10], digits[10:12])
    return found.span() if _PROVINCE.match(digits) and born else None


def _luhn_holds(digits: str) -> bool:
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (sum(map(int, digits[::-2])) + sum(doubled)) % 10 == 0


def _bank_card(found: re.Match[str]) -> Span | None:
    # What looks like a fifth group may be the next number of the sentence.
    for end in (found.end(), found.start("tail")):
        if end > 0 and _luhn_holds(digits_of(found.string[found.start() : end])):
            return found.start(), end
    return None


def _mobile(found: re.Match[str]) -> Span | None:
    """Refuse lists of small numbers: people write theirs in up to four groups, in pairs or digit by digit."""
    sizes = sorted(len(group) for group in re.findall(rf"{NUMERAL}{{1,11}}", found.group("number")))
    written = len(sizes) <= _FEW_GROUPS or len(sizes) >= _DIGIT_BY_DIGIT or sizes == _IN_PAIRS
    return found.span() if written else None


def _number(pattern: str) -> str:
    return f"(?<![0-9])(?:{pattern})(?![0-9])"


def _told(words: str, number: str) -> str:
    return rf"(?i:{words})[号码是为: ]{{0,5}}(?P<it>{number})(?![0-9])"


_ID = rf"{NUMERAL}(?:{GAP}{NUMERAL}){{16}}{GAP}(?:{NUMERAL}|[xX])"
_OLD_ID = r"[0-9]{6}[ \-]?[0-9]{6}[ \-]?[0-9]{3}"
_FOURS = r"[3-69][0-9]{3}(?P<gap>[ .\-]{1,2})(?:[0-9]{4}(?P=gap)){2}[0-9]{4}(?P<tail>(?P=gap)[0-9]{1,3})?"
_CARD = rf"{_FOURS}|[3-69][0-9]{{15,18}}|[3-69][0-9]{{5}} [0-9]{{10,13}}"
_COUNTRY = rf"\(?(?:\+|00)? ?86\)?{GAP}"
_SECOND = "[3-9三四五六七八九③-⑨叁肆伍陆柒捌玖]"
_MOBILE = rf"(?:{_COUNTRY})?(?P<number>[1一幺①壹]{GAP}{_SECOND}(?:{GAP}{NUMERAL}){{9}})"
_AREA = rf"\(?(?:010|02[0-9]|0[3-9][0-9]{{2}})\)?{GAP}"
_ONE_LOCAL = r"[2-8][0-9]{2,3}[ \-]?[0-9]{4}(?:(?: ?转 ?|-)[0-9]{1,5})?"
_LOCAL = rf"{_ONE_LOCAL}(?:[、/;或和] ?{_ONE_LOCAL}){{0,3}}"
_ABROAD = rf"\+ ?[0-9](?:{GAP}[0-9]){{7,14}}"
_AMERICAN = r"(?:\([2-9][0-9]{2}\) ?|[2-9][0-9]{2}-)[0-9]{3}-[0-9]{4}"

IN_LONG_RUNS = (
    rule("id_card", _number(_ID), _identity_card),
    rule("id_card", _number(_OLD_ID), _old_identity_card),
    rule("bank_card", _number(_CARD), _bank_card),
    rule(None, _number("20[0-9]{6}-[0-9]{7}")),  # a ticket's number
    rule(None, _number(r"[48]00(?:[ \-]?[0-9]){7}")),  # a service line
    rule(None, _number(r"(?:19|20)[0-9]{2}([.\-/])[0-9]{1,2}\1[0-9]{1,2}")),  # a date
    rule("phone", _number(rf"(?<!\+)(?<!\+ ){_MOBILE}"), _mobile),
    rule("phone", _number(f"{_AREA}{_LOCAL}|{_ABROAD}|{_AMERICAN}")),
    # What a citizen calls by its name is taken at the word, though a digit be missing or one too many.
    rule("id_card", _told("身份证", rf"[0-9](?:{GAP}[0-9]){{13,17}}[xX]?")),
    rule("bank_card", _told("银行卡|卡号|账号|帐号|账户", r"(?:[0-9]{4}[ .\-]){2,4}[0-9]{3,4}|[0-9]{12,19}")),
    rule("phone", _told("电话|手机|联系方式", rf"1[3-9](?:{GAP}[0-9]){{8,10}}")),
    rule("phone", _told("电话|座机|固话|联系方式|拨打|来电|致电|tel|phone", _LOCAL)),
    rule("passport", _told("(?:护照|通行证|台胞证|passport)[a-z .]{0,14}", "[A-Za-z]{1,2}[0-9]{7,8}")),
)
