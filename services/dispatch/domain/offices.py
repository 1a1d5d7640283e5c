"""Numbers of offices: they are no personal data, and a reply that hides them names nobody to ask."""

import re
from collections.abc import Collection
from unicodedata import normalize

# A fixed line in China, with or without its area code; who has a mobile is a person.
_FIXED = re.compile(r"(0[1-9][0-9]{1,2})?[2-8][0-9]{6,7}")
_AREA = re.compile(r"(0[1-9][0-9]{1,2})?")
_OFFICE = re.compile(
    r"((咨询|联系|服务|监督|值班|办公|投诉|举报|维修|报修|客服|客户|24小时|公开)(电话|方式|号码|热线|座机)|热线|座机"
    r"|(我|本)(单位|街道|镇|乡|局|委|办|公司|所|站|社区|村)[^，。；]{0,8}|(值班|办公|接待|信访)室"
    r"|(科|处|队|站|所|办|中心|窗口|居委会|村委会|物业|社区)(的)?(电话|号码)?)[号码是为:：()（）\s]*$"
)
_CITIZENS = re.compile(r"您|你的|来电|诉求人|反映人|市民|群众|当事人|居民的|业主的|本人|⟦name")
_BEFORE = 16
"""Characters in front of a number that say whose it is."""


def is_office(number: str, before: str, listed: Collection[str]) -> bool:
    """Say whether a number is an office's: the city lists it, or it is a fixed line that words before it give as one.

    `listed` holds digits only. When in doubt it is a person's.
    """
    digits = re.sub(r"[^0-9]", "", normalize("NFKC", number))
    if any(digits.endswith(one) and _AREA.fullmatch(digits.removesuffix(one)) for one in listed):
        return True
    near = re.split(r"[，。；,;]", before)[-1][-_BEFORE:]
    return bool(_FIXED.fullmatch(digits) and _OFFICE.search(near) and not _CITIZENS.search(near))
