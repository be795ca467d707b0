"""Numerals: numbers as people type them, such as 5m, 10k, 50% or 0,1, so that an error can write them out."""

import re

_SECONDS = {"s": 1, "sec": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}
_FACTORS = {"": 1.0, "%": 0.01, "k": 1e3, "m": 1e6, "b": 1e9}
_TIMES = re.compile(r"(\d+(?:\.\d+)?)\s*(sec|s|min|m|h|d)[a-z]*\s*")


def remedy(text: object, *, seconds: bool = False, whole: bool = False) -> str:
    """Return how to write the number that a text means, for the end of a message, or an empty text.

    It is empty, too, where a whole number is wanted and another is meant.

    >>> remedy("5m", seconds=True), remedy("1h30m", seconds=True)
    (': write 300, in seconds', ': write 5400, in seconds')
    >>> remedy("10k"), remedy("50%"), remedy("0,1"), remedy("60,000"), remedy("32.0"), remedy("half")
    (': write 10000', ': write 0.5', ': write 0.1', ': write 60000', ': write 32', '')
    """
    typed = str(text).strip().lower() if isinstance(text, str) and len(text) < 40 else ""
    if seconds and typed and not _TIMES.sub("", typed):
        total = sum(float(number) * _SECONDS[unit] for number, unit in _TIMES.findall(typed))
        return f": write {total:.12g}, in seconds"
    if re.fullmatch(r"[1-9]\d{0,2}(,\d{3})+", typed):
        typed = typed.replace(",", "")
    found = re.fullmatch(r"(\d+(?:[.,]\d+)?(?:e[+-]?\d{1,2})?)\s*([%kmb]?)", typed)
    if found is None:
        return ""
    number = float(found[1].replace(",", ".")) * _FACTORS[found[2]]
    return "" if whole and not number.is_integer() else f": write {number:.12g}"
