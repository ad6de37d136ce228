"""The options of the public functions: the words of the command line as keywords, each with its type and how it is read.

A word stands here once. What a caller may write is its type; what the rooms are given is made of it by the function that the
type carries (`medaudit.words`). `medaudit.commands` hands its options through the same door.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypedDict, get_args, get_type_hints

from auditor.values.errors import ConfigError
from auditor.values.suggestion import suggestion
from medaudit.words import (
    Columns,
    DepthOfClass,
    File,
    Files,
    Flag,
    Flipped,
    Fraction,
    Length,
    Name,
    Names,
    NoiseOfRater,
    Seconds,
    Share,
    Shares,
    Side,
    Size,
    Spec,
    Step,
    Whole,
    path_of,
)


class Roles(TypedDict, total=False):
    """Which column holds what."""

    label: Columns
    patient: Name
    split: Name
    site: Name
    path: Name
    lesion: Name
    study: Name
    series: Name
    time: Name
    fold: Name
    rater: Name
    mask: Name


class Opening(Roles, total=False):
    """How a dataset is opened."""

    root: File
    config: File


class Reading(Opening, total=False):
    """How its files are read."""

    workers: Whole
    cache: Flag
    crosswalk: File


class ScanOptions(Reading, total=False):
    """What `medaudit.scan` may be told."""

    ocr: Flag
    select: Names
    ignore: Names
    require: Names
    fail_on: Name
    strict: Flag
    baseline: File
    rehash: Flag
    pixels: Flag
    predictions: Files
    classes: Names
    in_sample: Flag
    predict: Name
    encoder: File
    network: Name
    trust_program: Flag
    device: Name
    reviewed: Files
    known: Files
    key: File
    seed: Whole


class FixOptions(Reading, total=False):
    """What `medaudit.fix` may be told."""

    ocr: Flag
    strategy: Names
    trusted: Spec
    evaluate: Spec
    unlabelled: File
    check: Flag
    force: Flag
    seed: Whole
    seeds: Whole
    device: Name
    budget: Seconds
    side: Side
    margin: Fraction
    from_run: File
    encoder: File
    network: Name
    trust_program: Flag
    teacher_data: File
    key: File
    reviewed: Files


class SplitOptions(Reading, total=False):
    """What `medaudit.split` may be told. `split` names the column of the old one."""

    by: Name
    stratify: Names
    sizes: Shares
    names: Names
    keep: Names
    seed: Whole


class ConsensusOptions(TypedDict, total=False):
    """What `medaudit.consensus` may be told."""

    rater: Name
    label: Columns
    path: Name
    method: Name
    predictions: File
    classes: Names
    min_gain: Fraction
    seed: Whole
    crosswalk: File


class UnpackOptions(TypedDict, total=False):
    """What `medaudit.unpack` may be told."""

    most: Size
    most_files: Whole
    seconds: Seconds
    workers: Whole


class DegradeOptions(Reading, total=False):
    """What `medaudit.degrade` may be told."""

    missing: Share
    deform: Length
    simplify: Step
    boxes: Flag
    label_flips: Flipped
    bit_depth: DepthOfClass
    mix_patients: Share
    near_copies: Share
    rater_noise: NoiseOfRater
    fatigue: Share
    seed: Whole


ROLE_WORDS: frozenset[str] = frozenset(Roles.__annotations__)


def read_keywords(given: Mapping[str, Any], kind: type, function: str) -> dict[str, Any]:
    """The options as the rooms take them; one that is None was not given.

    Raises:
        ConfigError: an unknown word (with the one that was meant), or a value of a wrong type; it names the word.
    """
    known = get_type_hints(kind, include_extras=True)
    found: dict[str, Any] = {}
    for word, value in given.items():
        if word not in known:
            raise ConfigError(f"{function}: there is no option {word!r}{suggestion(word, list(known))}")
        if value is None:
            continue
        read: Callable[[object], Any] = get_args(known[word])[1]
        try:
            found[word] = read(value)
        except ValueError as reason:
            raise ConfigError(f"{function}: {word} = {shown(value)}: {reason}") from None
    return found


def shown(value: object) -> str:
    """A value for a message: short texts and numbers as they are, of everything else the type."""
    return repr(value) if isinstance(value, str | int | float) and len(str(value)) <= 60 else f"a {type(value).__name__}"


def roles_in(options: Mapping[str, Any]) -> dict[str, str]:
    """The roles whose columns were named."""
    return {word: value for word, value in options.items() if word in ROLE_WORDS}


def target_of(value: object, function: str) -> Path:
    """The dataset that was named.

    Raises:
        ConfigError: it is no path.
    """
    try:
        return path_of(value)
    except ValueError:
        raise ConfigError(f"{function}: a folder, a label table or an npz by its path is needed, not {shown(value)}") from None
