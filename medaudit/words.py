"""What a word of an option may be, and how it is read: a type for whoever writes it, and the function that the type carries."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

LEAST_SIDE, MOST_SIDE = 8, 4096
UNITS: Mapping[str, int] = {"": 1, "s": 1, "m": 60, "h": 3600}


def name_of(value: object) -> str:
    """A column, a name: text."""
    if isinstance(value, str):
        return value
    raise ValueError("a text is needed")


def names_of(value: object) -> tuple[str, ...]:
    """`"LK,SP001"` → LK, SP001; a list is taken as it is, so that a name may hold a comma."""
    if isinstance(value, str):
        return tuple(word.strip() for word in value.split(",") if word.strip())
    if isinstance(value, list | tuple) and all(isinstance(name, str) for name in value):
        return tuple(value)
    raise ValueError("a text or a list of texts is needed")


def columns_of(value: object) -> str:
    """One column, or several that hold a label each, as `auditor.layout.Options` writes them."""
    return value if isinstance(value, str) else ",".join(names_of(value))


def path_of(value: object) -> Path:
    """A file or a folder."""
    if isinstance(value, str | Path):
        return Path(value)
    raise ValueError("a path is needed")


def paths_of(value: object) -> tuple[Path, ...]:
    """One path or several."""
    return tuple(map(path_of, value)) if isinstance(value, list | tuple) else (path_of(value),)


def spec_of(value: object) -> str:
    """A column, or a file that lists records."""
    return str(path_of(value))


def flag_of(value: object) -> bool:
    """Yes or no."""
    if isinstance(value, bool):
        return value
    raise ValueError("True or False is needed")


def whole_number_of(value: object) -> int:
    """A whole number, not below 0."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise ValueError("a whole number, 0 or more, is needed")


def side_of(value: object) -> int:
    """A side of a picture in pixels."""
    if isinstance(value, int) and not isinstance(value, bool) and LEAST_SIDE <= value <= MOST_SIDE:
        return value
    raise ValueError(f"a whole number of pixels from {LEAST_SIDE} to {MOST_SIDE:,} is needed")


def fraction_of(value: object) -> float:
    """A number from 0 to 1."""
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1:
        return float(value)
    raise ValueError("a number from 0 to 1 is needed")


def shares_of(value: object) -> tuple[float, ...]:
    """`"0.7,0.15,0.15"` or the numbers themselves."""
    parts = [part for part in value.split(",") if part.strip()] if isinstance(value, str) else value
    if not isinstance(parts, list | tuple):
        raise ValueError("shares are numbers, for example 0.7,0.15,0.15")
    try:
        return tuple(float(part) for part in parts)
    except (TypeError, ValueError):
        raise ValueError("shares are numbers, for example 0.7,0.15,0.15") from None


def seconds_of(value: object) -> float:
    """`90`, `"90s"`, `"30m"`, `"2h"` → seconds."""
    text = str(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else ""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smh]?)", text.strip().lower())
    if found is None or float(found[1]) <= 0:
        raise ValueError("a time, for example 90s, 30m or 2h")
    return float(found[1]) * UNITS[found[2]]


def size_of(value: object) -> int:
    """`200000`, `"500MB"`, `"20GB"`, `"1TB"` → bytes."""
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kmgt]?)b?", text.strip().lower())
    if found is None or float(found[1]) <= 0:
        raise ValueError("a size, for example 500MB or 20GB")
    return int(float(found[1]) * 1000 ** " kmgt".index(found[2] or " "))


def positive_fraction_of(value: object) -> float:
    """A share that is not nought."""
    if (found := fraction_of(value)) > 0:
        return found
    raise ValueError("a number above 0, up to 1, is needed")


def pixels_of(value: object) -> float:
    """A length in pixels."""
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= MOST_SIDE:
        return float(value)
    raise ValueError(f"a number of pixels above 0, up to {MOST_SIDE:,}, is needed")


def corners_of(value: object) -> int:
    """Every so many-th corner."""
    if isinstance(value, int) and not isinstance(value, bool) and 2 <= value <= MOST_SIDE:
        return value
    raise ValueError("a whole number from 2 is needed: every so many-th corner stays")


def share_in(text: str) -> float:
    """A share that is written."""
    try:
        return positive_fraction_of(float(text))
    except ValueError:
        raise ValueError("a number above 0, up to 1, is needed, for example .2") from None


def flips_of(value: object) -> Any:
    """`.2`, `".2:asym"`, `".2:instance"`, `".2:site"`."""
    from trainers.degrading.wish import FLIPS, Flips

    share, _, kind = str(value).partition(":")
    found = next((name for name in FLIPS if name == (kind or "uniform")), None)
    if found is None or isinstance(value, bool):
        raise ValueError(f"a share and, behind a colon, one of {', '.join(FLIPS)}, for example .2:asym")
    return Flips(share=share_in(share), kind=found)


def depth_of(value: object) -> Any:
    """`"malignant=8"`: a class and how many bits its pictures get."""
    from trainers.degrading.wish import Depth

    label, _, bits = str(value).rpartition("=")
    if not label or bits not in ("8", "16"):
        raise ValueError("a class and 8 or 16 bits are needed, for example malignant=8")
    return Depth(label=label, bits=int(bits))


def rater_noise_of(value: object) -> Any:
    """`.3` of every rater, `"reader_2=.3"` of one."""
    from trainers.degrading.wish import RaterNoise

    rater, _, share = str(value).rpartition("=")
    return RaterNoise(share=share_in(share), rater=rater)


Name = Annotated[str | None, name_of]
Names = Annotated[str | Sequence[str] | None, names_of]
Columns = Annotated[str | Sequence[str] | None, columns_of]
File = Annotated[str | Path | None, path_of]
Files = Annotated[str | Path | Sequence[str | Path] | None, paths_of]
Spec = Annotated[str | Path | None, spec_of]
Flag = Annotated[bool | None, flag_of]
Whole = Annotated[int | None, whole_number_of]
Side = Annotated[int | None, side_of]
Fraction = Annotated[float | None, fraction_of]
Shares = Annotated[str | Sequence[float] | None, shares_of]
Seconds = Annotated[str | float | None, seconds_of]
Size = Annotated[str | int | None, size_of]
Share = Annotated[float | None, positive_fraction_of]
Length = Annotated[float | None, pixels_of]
Step = Annotated[int | None, corners_of]
Flipped = Annotated[str | float | None, flips_of]
DepthOfClass = Annotated[str | None, depth_of]
NoiseOfRater = Annotated[str | float | None, rater_noise_of]
