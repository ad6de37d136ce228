"""What file and folder names say: splits, patients, sites, and the file-name patterns of known collections."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from auditor.naming.suffixes import stem_of

_OF_TRAINING = (
    "trainingsdaten", "trainingsset", "trainingsmenge", "entrenamiento", "entrainement", "entraînement", "apprentissage",
    "treino", "addestramento", "训练", "训练集", "訓練", "학습", "훈련", "обучение",
)  # fmt: skip
_OF_TUNING = (
    "validierung", "validierungsdaten", "validierungsset", "validierungsmenge", "validacion", "validación", "validação",
    "validazione", "验证", "验证集", "検証", "검증", "валидация",
)  # fmt: skip
_OF_TESTS = ("testdaten", "testmenge", "prueba", "pruebas", "teste", "测试", "测试集", "テスト", "테스트", "평가", "тест")
SPLIT_NAMES: Mapping[str, str] = {
    **dict.fromkeys(("train", "training", "trn", "tr", "trainset", "train_set", "training_set", "fit", *_OF_TRAINING), "train"),
    **dict.fromkeys(
        ("val", "valid", "validation", "validate", "dev", "development", "tune", "tuning", "vali", *_OF_TUNING), "val"
    ),
    **dict.fromkeys(
        ("test", "testing", "tst", "ts", "testset", "test_set", "eval", "evaluation", "holdout", "hold-out", *_OF_TESTS), "test"
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
        mark: at least one stem must hold this, where the names are common ones.
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
    mark: re.Pattern[str] | None = None
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


def _study(found: re.Match[str]) -> str:
    """Two body parts of one patient are two acquisitions, though each calls its study the first."""
    part = found["part"]
    above = f"{part}/" if part and split_name(part) is None else ""
    return f"{above}{found['patient']}/{found['study']}"


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
        mark=re.compile("BACTERIA|VIRUS|NORMAL|bacteria|virus"),
        confidence=0.75,
        ambiguous="person1_bacteria and person1_virus are taken for two patients; the collection does not say",
    ),
    NamePattern(
        name="IM, series and image",
        pattern=re.compile(r"^(?P<patient>IM-\d{4})-\d{4}(?:-\d{4})?$"),
        patient=_group("patient"),
        confidence=0.6,
        ambiguous="the number behind IM is taken for the patient; it may be a series",
    ),
    NamePattern(
        name="TCGA",
        pattern=re.compile(r"(?:^|/)(?P<patient>TCGA-(?P<site>[A-Z0-9]{2})-[A-Z0-9]{4})(?=[-_./]|$)"),
        patient=_group("patient"),
        site=_group("site"),
        whole=True,
    ),
    NamePattern(
        name="MURA",
        pattern=re.compile(
            r"(?:^|/)(?P<part>[^/]+)/(?P<patient>patient[-_]?\d+)/(?P<study>study[-_]?\d+)_(?P<class>positive|negative)/",
            re.IGNORECASE,
        ),
        label=lambda found: found["class"].lower(),
        patient=_group("patient"),
        study=lambda found: _study(found),
        whole=True,
    ),
    NamePattern(
        name="patient/study folders",
        pattern=re.compile(
            r"(?:^|(?P<part>[^/]+)/)(?P<patient>patient[-_]?\d+)/(?:.*?/)?(?P<study>study[-_]?\d+[^/]*)/", re.IGNORECASE
        ),
        patient=_group("patient"),
        study=lambda found: _study(found),
        whole=True,
    ),
    NamePattern(
        name="EyePACS",
        pattern=re.compile(r"^(?P<patient>\d+)[_-](?P<eye>left|right|OD|OS|L|R)$", re.IGNORECASE),
        patient=_group("patient"),
        fields=("eye",),
    ),
    NamePattern(
        name="number and side",
        pattern=re.compile(r"^(?P<patient>[A-Za-z]{0,8}[_-]?\d{2,})[_-]?(?P<side>OD|OS|L|R)$"),
        patient=_group("patient"),
        fields=("side",),
        confidence=0.85,
    ),
    NamePattern(
        name="NIH ChestX-ray14",
        pattern=re.compile(r"^(?P<patient>000\d{5})_(?P<number>\d{3})$"),
        patient=_group("patient"),
    ),
    NamePattern(
        name="BraTS",
        pattern=re.compile(
            r"^(?P<patient>BraTS(?:\d{2,4})?[_-](?:[A-Za-z]+[_-])?(?:[A-Za-z0-9]+[_-])??\d{3,5})(?:[_-].*)?$", re.IGNORECASE
        ),
        patient=_group("patient"),
    ),
    NamePattern(
        name="INbreast",
        pattern=re.compile(r"^\d{5,}_(?P<patient>[0-9a-f]{8,32})_MG_(?P<view>[LR]_[A-Z]{2,3})(?:_ANON)?$"),
        patient=_group("patient"),
        fields=("view",),
    ),
    NamePattern(
        name="mammograms",
        pattern=re.compile(
            r"^(?P<patient>[A-Za-z]{0,4}[_-]?\d+)[_-](?P<view>(?:L|R|left|right)[_-]?(?:CC|MLO)|(?:CC|MLO)[_-]?(?:L|R|left|right))$",
            re.IGNORECASE,
        ),
        patient=_group("patient"),
        fields=("view",),
    ),
    NamePattern(
        name="patient and image",
        pattern=re.compile(
            r"^(?P<patient>p(?:at|t|atient)?\d+)[-_](?:im|img|image|i|sl|slice|scan|series|frame|v|view|s)?[-_]?\d+$",
            re.IGNORECASE,
        ),
        patient=_group("patient"),
        confidence=0.85,
    ),
    NamePattern(
        name="patient, then anything",
        pattern=re.compile(r"^(?P<patient>P\d{2,})[-_][A-Za-z0-9 ()_-]+$"),
        patient=_group("patient"),
        confidence=0.75,
    ),
    NamePattern(
        name="patient in the path",
        pattern=re.compile(
            r"(?:^|[/_-])(?P<patient>(?:patient|subject|sub|pat|subj|participant|person|proband)[-_ ]?\(?\d+\)?"
            r"|sub-[A-Za-z0-9]+)(?=[-_./ ]|$)",
            re.IGNORECASE,
        ),
        patient=_group("patient"),
        whole=True,
        confidence=0.85,
    ),
    NamePattern(
        name="case in the path",
        pattern=re.compile(
            r"(?:^|[/_-])(?P<patient>(?:case|volume)[-_ ]?\d+)(?=[_/ -](?:.*[_ -])?(?:\d+|slice|frame|t1|t2|flair)\w*(?:\.|$))",
            re.IGNORECASE,
        ),
        patient=_group("patient"),
        whole=True,
        confidence=0.75,
    ),
)


def split_name(name: str) -> str | None:
    """`train`, `val`, `test`, … for a name that means a split, else None."""
    return SPLIT_NAMES.get(name.strip().lower())


_SPLIT_STEM = re.compile(
    r"^(?P<split>train(?:ing)?|val(?:id(?:ation)?)?|test(?:ing)?|dev)(?:(?P<part>[A-Z])(?![a-z]))?"
    r"(?:[ _-]|(?=\d|img|image|case|patient|$))"
)


def splits_in_names(paths: Sequence[str]) -> tuple[str | None, ...] | None:
    """The split that a name begins with (`train_7`, `testA_3.bmp`), where nearly all do and there are two; else None."""
    found = [_SPLIT_STEM.match(stem_of(path)) for path in paths]
    if sum(match is not None for match in found) < MATCHING_FRACTION * max(len(paths), 1):
        return None
    splits = tuple(None if match is None else split_name(match["split"]) for match in found)
    return splits if len({split for split in splits if split}) > 1 else None


def roles_in_names(paths: Sequence[str]) -> NameRoles | None:
    """The first pattern that at least 90 % of the paths follow, and what it says."""
    if not paths:
        return None
    stems = [stem_of(path) for path in paths]
    for pattern in PATTERNS:
        if pattern.mark is not None and not any(map(pattern.mark.search, stems)):
            continue
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
