"""The tables of medaudit.toml, a class each: every key with its type, its bounds and, in the text below it, what it means.

docs/configuration.md is written from these.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationInfo, field_validator
from pydantic import Field as Key

from auditor.check import check_classes
from auditor.values.patterns import pattern_of

MASK_DIGITS = 9
"""Values in masks have no more."""


class Section(BaseModel):
    """A table of medaudit.toml: keys are written with hyphens or underscores; an unknown key is an error."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        alias_generator=lambda name: name.replace("_", "-"),
        populate_by_name=True,
        allow_inf_nan=False,
    )


def regular_expression(value: str) -> str:
    """The text, when it is a regular expression.

    Raises:
        ValueError: it is none.
    """
    pattern_of(value)
    return value


class DatasetSection(Section):
    """`[dataset]`: how the files are read."""

    layout: str | None = None
    """name of the layout, where it is not to be guessed"""
    root: str | None = None
    """folder that the paths of the label table start from, relative to this file"""
    level: Literal["image", "series", "study", "lesion", "eye", "patient"] | None = None
    """what one label speaks about"""
    task: Literal["none", "single", "multi", "ordinal", "continuous"] | None = None
    """what is learnt, where it is not to be guessed"""
    separator: str | None = None
    """what joins several labels in one cell"""
    tables: tuple[str, ...] = ()
    """label tables, relative to this file, where they are not to be looked for"""
    boxes: str | None = None
    """a table of boxes (columns of image and four corners; `segmentation`: outlines as in COCO), relative to this file"""
    readings: str | None = None
    """a table of what readers said (columns of image, reader and answer), relative to this file"""
    corrected: Mapping[str, str] = Key(default_factory=dict)
    """of a corrected copy: which file holds the table that was corrected"""
    left_out: str | None = None
    """of a corrected copy: the list of records that are not in it"""
    label_origin: str | None = None
    """of a corrected copy: what the labels were read from, which findings name them by"""
    channels: Mapping[str, str] = Key(default_factory=dict)
    """of records that are several files: a channel → the column that names its file; the first is the column of the images"""
    mask_names: Mapping[str, str] = Key(default_factory=dict)
    """a value in the masks → what it stands for"""
    own_tables: tuple[str, ...] = ()
    """of a corrected copy: tables of it that say nothing that the images' own file does not"""

    @field_validator("mask_names")
    @classmethod
    def _values_are_whole(cls, value: Mapping[str, str]) -> Mapping[str, str]:
        if wrong := [key for key in value if not (key.isascii() and key.isdecimal() and len(key) <= MASK_DIGITS)]:
            raise ValueError(f"{wrong[0]!r} is no value of a mask: a whole number is")
        return value


class DesignSection(Section):
    """`[design]`: how the collection was made, and what a model will read."""

    kind: Literal["", "consecutive", "case-control", "screening", "multi-site", "temporal", "external-test"] = ""
    """how the records were chosen"""
    strata: tuple[str, ...] = ()
    """fields within which associations are judged too"""
    inputs: tuple[str, ...] | None = None
    """fields that a model will read; all others are no input"""
    splits: Literal["", "random", "by-site", "by-time", "official"] = ""
    """how the splits were made"""
    pseudonyms: str = ""
    """regular expression: ids that it matches whole stand for nobody"""

    _pattern = field_validator("pseudonyms")(regular_expression)


class PrivacySection(Section):
    """`[privacy]`: what is known to be no identifier."""

    pseudonyms: str = ""
    """regular expression: ids that it matches whole stand for nobody"""
    private_allowed: tuple[str, ...] = ()
    """private creators whose DICOM elements may stay"""
    quasi_identifiers: tuple[str, ...] = ()
    """fields that outsiders could know: PH006 judges them together"""

    _pattern = field_validator("pseudonyms")(regular_expression)


class ScanSection(Section):
    """`[scan]`: which checks run, and what fails."""

    select: tuple[str, ...] = ()
    """codes or prefixes of the checks to run; empty: all"""
    ignore: tuple[str, ...] = ()
    """codes or prefixes of checks to leave out"""
    require: tuple[str, ...] = ()
    """exit 3 where one of these cannot be evaluated"""
    fail_on: Literal["info", "warning", "error", "never"] = "error"
    """the level from which findings fail the gate"""
    strict: bool = False
    """exit 3 where too little could be looked at to say that all is well"""
    seed: int = Key(default=0, ge=0, lt=1 << 32)
    """of folds and permutations"""
    workers: int | None = Key(default=None, ge=0)
    """processes that read files; default: one per core"""
    predictions: str | None = None
    """class probabilities of your own model, out of fold"""
    baseline: str | None = None
    """result.json of an earlier scan whose findings are accepted as they were, relative to this file"""
    baseline_tolerance: float = Key(default=0.05, ge=0, le=1)
    """share by which the strength, and the numbers, of an accepted finding may have risen"""
    per_path_ignores: Mapping[str, tuple[str, ...]] = Key(default_factory=dict)
    """path (`*` and `?` as in a shell) → codes or prefixes whose findings there fail nothing; they are shown"""

    @field_validator("per_path_ignores")
    @classmethod
    def _codes_are_known(cls, value: Mapping[str, tuple[str, ...]]) -> Mapping[str, tuple[str, ...]]:
        for prefix in (prefix for prefixes in value.values() for prefix in prefixes):
            if not any(check.code.startswith(prefix.upper()) for check in check_classes()):
                raise ValueError(f"no check has the code or prefix {prefix!r}")
        return value


class FixSection(Section):
    """`[fix]`: what `medaudit fix` does unless its options say otherwise."""

    strategy: tuple[str, ...] = ()
    """names of strategies; empty: the findings choose"""
    trusted: str | None = None
    """column or list of the records whose labels are right"""
    evaluate: str | None = None
    """column or list of the records that evaluate"""
    seeds: int = Key(default=3, ge=1)
    """trainings per arm"""
    margin: float = Key(default=0.01, ge=0, le=1)
    """what a score may fall and still be called not worse"""
    device: str = "auto"
    """auto, cpu, cuda, cuda:N or mps"""


class LimitsSection(Section):
    """`[limits]`: what one file may cost; `seconds` are of processor time, `wall-seconds` of the clock."""

    file_bytes: int | None = Key(default=None, gt=0)
    """size of a file"""
    decoded_bytes: int | None = Key(default=None, gt=0)
    """decoded size of a picture"""
    inflated_bytes: int | None = Key(default=None, gt=0)
    """size of what a compressed file holds"""
    memory_bytes: int | None = Key(default=None, gt=0)
    """memory of a process that reads files"""
    pixels: int | None = Key(default=None, gt=0)
    """pixels of a frame"""
    frames: int | None = Key(default=None, gt=0)
    """frames of a file"""
    seconds: float | None = Key(default=None, gt=0, allow_inf_nan=False)
    """seconds of processor time per file"""
    wall_seconds: float | None = Key(default=None, gt=0, allow_inf_nan=False)
    """seconds of the clock per file"""
    lost_seconds: float | None = Key(default=None, gt=0, allow_inf_nan=False)
    """seconds that files which take too long may cost together; then each gets one second, and then none is read"""
    table_bytes: int | None = Key(default=None, gt=0)
    """text of a table, decompressed"""
    table_rows: int | None = Key(default=None, gt=0)
    """rows of a table"""
    table_columns: int | None = Key(default=None, gt=0)
    """columns of a table"""
    cell_bytes: int | None = Key(default=None, gt=0, le=1 << 30)
    """bytes of a cell"""
    table_seconds: float | None = Key(default=None, gt=0, allow_inf_nan=False)
    """seconds that reading a table may take"""
    document_bytes: int | None = Key(default=None, gt=0)
    """size of an XML or JSON document"""
    kinds: int | None = Key(default=None, gt=0)
    """different classes of a data set, and different readers"""


class Waiver(Section):
    """One `[[waivers]]`: findings that are known and accepted, with the reason. Empty keys match everything."""

    reason: str = Key(min_length=1)
    """why it is accepted; required, and shown in every report"""
    owner: str = ""
    """who answers for it; shown beside the reason"""
    expires: date | None = None
    """the last day on which it holds (2027-06-30); MA001 tells of it afterwards"""
    code: str = ""
    """code of the check"""
    fingerprint: str = ""
    """fingerprint of the finding"""
    path: str = ""
    """path of the file; `*` and `?` stand for what they stand for in a shell"""
    field: str = ""
    """field"""
    record: str = ""
    """record"""
    subject: str = ""
    """subject (a pair of classes, a split, a reader)"""

    @field_validator("code")
    @classmethod
    def _code_is_known(cls, value: str, info: ValidationInfo) -> str:  # noqa: ARG003
        if value and not any(check.code == value for check in check_classes()):
            raise ValueError(f"no check has the code {value!r}")
        return value
