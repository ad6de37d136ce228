"""What file and folder names say: splits, patients, sites, and the file-name patterns of known collections."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from auditor.naming.suffixes import stem_of

SPLIT_NAMES: Mapping[str, str] = {
    **dict.fromkeys(("train", "training", "trn", "tr", "trainset", "train_set", "training_set", "fit"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "validate", "dev", "development", "tune", "tuning", "vali"), "val"),
    **dict.fromkeys(
        ("test", "testing", "tst", "ts", "testset", "test_set", "eval", "evaluation", "holdout", "hold-out"), "test"
    ),
    **dict.fromkeys(("external", "external_test", "external-test"), "external"),
    **dict.fromkeys(("trainval", "train_val", "train+val"), "trainval"),
    **dict.fromkeys(("unlabeled", "unlabelled"), "unlabelled"),
    "excluded": "excluded",  # in no split: what `medaudit split` writes beside a split that is kept
}
"""Names of splits → how they are called in `records.split`."""

MATCHING_FRACTION = 0.9
"""A pattern of file names counts when this share of the files follows it."""


@dataclass(frozen=True, kw_only=True)
class NamePattern:
    """The file names of one known collection.

    Args:
        name: of the collection.
        pattern: matches a stem (or, when `whole`, the relative path).
        label, patient, site, study, level: named groups → values; None where the names do not say.
        fields: further named groups → metadata fields.
        ambiguous: why a role should be looked at.
    """

    name: str
    pattern: re.Pattern[str]
    label: Callable[[re.Match[str]], str] | None = None
    patient: Callable[[re.Match[str]], str] | None = None
    study: Callable[[re.Match[str]], str] | None = None
    site: Callable[[re.Match[str]], str] | None = None
    fields: tuple[str, ...] = ()
    whole: bool = False
    confidence: float = 0.9
    ambiguous: str = ""


@dataclass(frozen=True, kw_only=True)
class NameRoles:
    """What a pattern says, one value per path; None where a name does not follow it."""

    pattern: NamePattern
    matched: int
    label: tuple[str | None, ...] | None = None
    patient: tuple[str | None, ...] | None = None
    study: tuple[str | None, ...] | None = None
    site: tuple[str | None, ...] | None = None
    fields: Mapping[str, tuple[str | None, ...]] = field(default_factory=dict)


def _group(name: str) -> Callable[[re.Match[str]], str]:
    return lambda found: found[name]


PATTERNS: tuple[NamePattern, ...] = (
    NamePattern(
        name="BreaKHis",
        pattern=re.compile(
            r"^SOB_(?P<class>[BM])_(?P<subtype>[A-Z]+)-(?P<year>\d\d)-(?P<slide>\w+)-(?P<magnification>\d+)-(?P<number>\d+)$"
        ),
        label=lambda found: {"B": "benign", "M": "malignant"}[found["class"]],
        patient=lambda found: f"{found['year']}-{found['slide']}",
        fields=("magnification",),
    ),
    NamePattern(
        name="Kermany OCT",
        pattern=re.compile(r"^(?P<class>CNV|DME|DRUSEN|NORMAL)-(?P<patient>\d+)-(?P<number>\d+)$"),
        label=_group("class"),
        patient=_group("patient"),
    ),
    NamePattern(
        name="Kermany chest",
        pattern=re.compile(
            r"^(?:(?P<kind>BACTERIA|VIRUS|NORMAL)-(?P<id>\d+)-\d+"
            r"|(?P<person>person\d+)_(?P<germ>bacteria|virus)_\d+"
            r"|(?P<normal>(?:NORMAL2-)?IM-\d{4})-\d{4}(?:-\d{4})?)$"
        ),
        label=lambda found: "NORMAL" if found["normal"] or found["kind"] == "NORMAL" else "PNEUMONIA",
        patient=lambda found: found["id"] or found["normal"] or f"{found['person']}_{found['germ']}",
        confidence=0.75,
        ambiguous="person1_bacteria and person1_virus are taken for two patients; the collection does not say",
    ),
    NamePattern(
        name="TCGA",
        pattern=re.compile(r"(?:^|/)(?P<patient>TCGA-(?P<site>[A-Z0-9]{2})-[A-Z0-9]{4})(?=[-_./]|$)"),
        patient=_group("patient"),
        site=_group("site"),
        whole=True,
    ),
    NamePattern(
        name="patient/study folders",
        pattern=re.compile(r"(?:^|/)(?P<patient>patient[-_]?\d+)/(?:.*?/)?(?P<study>study[-_]?\d+[^/]*)/", re.IGNORECASE),
        patient=_group("patient"),
        study=lambda found: f"{found['patient']}/{found['study']}",
        whole=True,
    ),
    NamePattern(
        name="patient in the path",
        pattern=re.compile(r"(?:^|[/_-])(?P<patient>(?:patient|subject|sub|pat|subj)[-_ ]?\d+)(?=[-_./ ]|$)", re.IGNORECASE),
        patient=_group("patient"),
        whole=True,
        confidence=0.85,
    ),
)


def split_name(name: str) -> str | None:
    """`train`, `val`, `test`, … for a name that means a split, else None."""
    return SPLIT_NAMES.get(name.strip().lower())


def roles_in_names(paths: Sequence[str]) -> NameRoles | None:
    """The first pattern that at least 90 % of the paths follow, and what it says."""
    if not paths:
        return None
    for pattern in PATTERNS:
        probe = paths[:: max(len(paths) // 500, 1)]
        if sum(_match(pattern, path) is not None for path in probe) < MATCHING_FRACTION * len(probe):
            continue
        found = [_match(pattern, path) for path in paths]
        matched = sum(match is not None for match in found)
        if matched < MATCHING_FRACTION * len(paths):
            continue

        def values(
            rule: Callable[[re.Match[str]], str] | None, found: Sequence[re.Match[str] | None] = found
        ) -> tuple[str | None, ...] | None:
            return None if rule is None else tuple(None if match is None else rule(match) for match in found)

        fields = {name: tuple(None if match is None else match[name] for match in found) for name in pattern.fields}
        return NameRoles(
            pattern=pattern,
            matched=matched,
            label=values(pattern.label),
            patient=values(pattern.patient),
            study=values(pattern.study),
            site=values(pattern.site),
            fields=fields,
        )
    return None


def _match(pattern: NamePattern, path: str) -> re.Match[str] | None:
    return pattern.pattern.search(path) if pattern.whole else pattern.pattern.search(stem_of(path))
