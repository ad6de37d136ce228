"""Which names of classes are one name, written in several ways or mistyped."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from itertools import pairwise

_GAPS = re.compile(r"[\s_\-]+")
LEAST_LETTERS = 5
"""Shorter words differ by one letter and mean two things: `left`, `lift`; `MEL`, `MEN`."""
RARE = 2
"""So often a slip may stand, however few the right ones are."""
_TWO_THINGS = frozenset(
    frozenset(pair.split())
    for pair in (
        "ilium ileum", "ilial ileal", "perineal peroneal", "macula macule", "mucous mucus", "callous callus", "facial fascial",
        "dysphagia dysphasia", "abduction adduction", "lingual lingula", "inferior interior", "medial median",
        "medial medical", "radial radical", "fibroma fibrosa",
    )
)  # fmt: skip
"""Terms one slip apart that are both right."""


_DOUBT = re.compile(r"^\s*[(\[]?\?+[)\]]?\s*|\s*[(\[]?\?+[)\]]?\s*$")


def doubted(counts: Counter[str]) -> list[tuple[str, str]]:
    """Pairs of a class and of the same with a question mark (`malignant?`), as they are written most often; by name.

    "Probably benign" and "likely pathogenic" are grades of their own and no such pairs.
    """
    plain: dict[str, str] = {}
    for name in sorted(counts, key=lambda n: (-counts[n], n)):
        if _DOUBT.sub("", name) == name:
            plain.setdefault(canonical(name), name)
    marked = [(name, canonical(_DOUBT.sub("", name))) for name in sorted(counts) if _DOUBT.sub("", name) != name]
    return [(plain[bare], name) for name, bare in marked if bare in plain]


def canonical(name: str) -> str:
    """What is left of a name without case, spaces, hyphens, underscores, final full stop and Unicode form."""
    return _GAPS.sub(" ", unicodedata.normalize("NFKC", name).casefold()).strip().rstrip(".").strip()


def variants(counts: Counter[str]) -> list[list[str]]:
    """Groups of two or more names that are one; the most frequent first, groups by name."""
    groups: dict[str, list[str]] = {}
    for name in counts:
        groups.setdefault(canonical(name), []).append(name)
    return [sorted(names, key=lambda n: (-counts[n], n)) for _, names in sorted(groups.items()) if len(names) > 1]


def mistyped(counts: Counter[str], most: float) -> list[tuple[str, str]]:
    """Pairs of a name and of the same mistyped, as they are written most often; by name.

    Only the rare one beside a frequent one: nobody mistypes a class every second time, and two classes of some size are two.

    Args:
        counts: how often each name stands.
        most: a slip stands at most so often for every time that the right name does.
    """
    total: Counter[str] = Counter()
    shown: dict[str, str] = {}
    for name, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        total[canonical(name)] += count
        shown.setdefault(canonical(name), name)
    found = []
    for slip, right in sorted(_near(list(total))):
        if 0 < total[slip] < total[right] and total[slip] <= max(RARE, most * total[right]):
            found.append((shown[right], shown[slip]))
    return found


def _near(names: list[str]) -> set[tuple[str, str]]:
    """Both orders of every pair of names one slip apart, without comparing all with all."""
    holders: dict[str, list[str]] = {}
    for name in names:
        # Two names one slip apart share what is left when one letter goes from either, or from one of them alone.
        for left in {name, *(name[:at] + name[at + 1 :] for at in range(len(name)))}:
            holders.setdefault(left, []).append(name)
    near: set[tuple[str, str]] = set()
    for held in holders.values():
        near.update((a, b) for a in held for b in held if a != b and (a, b) not in near and one_slip(a, b))
    return near


def one_slip(one: str, other: str) -> bool:
    """They differ in one word alone, by one letter too many, too few or another one, or by two neighbours exchanged."""
    a, b = one.split(" "), other.split(" ")
    if len(a) != len(b):
        return False
    differing = [(x, y) for x, y in zip(a, b, strict=True) if x != y]
    if len(differing) != 1:
        return False
    x, y = differing[0]
    if min(len(x), len(y)) < LEAST_LETTERS or not (x + y).isalpha() or x[0] != y[0] or frozenset((x, y)) in _TWO_THINGS:
        return False
    if len(x) == len(y):
        at = [i for i in range(len(x)) if x[i] != y[i]]
        return len(at) == 1 or (len(at) == 2 and any(p + 1 == q and x[p] == y[q] and x[q] == y[p] for p, q in pairwise(at)))
    short, long = sorted((x, y), key=len)
    return len(long) - len(short) == 1 and any(long[:i] + long[i + 1 :] == short for i in range(len(long)))
