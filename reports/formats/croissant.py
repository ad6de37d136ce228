"""Croissant metadata (JSON-LD, https://docs.mlcommons.org/croissant/) with the fields of responsible AI that an audit can fill.

Filled is what the scan saw: size, classes, what it found about bias, limits, readers and personal data. What no audit can know
(licence, creators, how and when the data were collected, what they may be used for) is left out and named in `description`, so
that a validator asks for it; merge the two before the data set is published. `-o croissant:croissant.json`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from auditor.values.cells import visible
from auditor.values.results import ScanResult
from reports.audited import told
from reports.wording import VERDICT, counted

SUFFIXES: tuple[str, ...] = ()
VERSION = "http://mlcommons.org/croissant/1.0"
RAI = "http://mlcommons.org/croissant/RAI/1.0"
FIELDS: Mapping[str, str] = {
    "rai:dataBiases": "biases",
    "rai:dataLimitations": "limitations",
    "rai:personalSensitiveInformation": "personal",
    "rai:dataAnnotationAnalysis": "annotation",
}
"""Field → what an audit says about it (`reports.audited`)."""
OPEN = (
    "license",
    "creator",
    "datePublished",
    "url",
    "rai:dataCollection",
    "rai:dataUseCases",
    "rai:dataReleaseMaintenancePlan",
)
"""What people must add."""
_TERMS = (
    "citeAs", "column", "data", "dataType", "examples", "extract", "field", "fileProperty", "fileObject", "fileSet",
    "format", "includes", "isLiveDataset", "jsonPath", "key", "md5", "parentField", "path", "recordSet", "references",
    "regex", "repeated", "replace", "samplingRate", "separator", "source", "subField", "transform", "equivalentProperty",
)  # fmt: skip


def render(result: ScanResult, name: str) -> Mapping[str, bytes]:
    """The metadata as JSON-LD; no side file."""
    document: dict[str, Any] = {
        "@context": _context(),
        "@type": "sc:Dataset",
        "conformsTo": [VERSION, RAI],
        "name": visible(result.dataset.name) or "dataset",
        "description": _description(result),
        "keywords": [visible(name) for name in result.dataset.classes],
    }
    for field, topic in FIELDS.items():
        document[field] = list(_sentences(told(result, topic)))
    return {name: (json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()}


def _sentences(lines: Iterable[str]) -> Iterable[str]:
    for line in lines:
        yield visible(line).rstrip(".") + "."


def _description(result: ScanResult) -> str:
    dataset = result.dataset
    facts = [counted(result.records, "record")]
    facts += [counted(len(dataset.classes), "class", "classes")] if dataset.classes else []
    verdict = f"Audited with medaudit {result.tool_version}: {VERDICT[result.gate.verdict]}."
    return visible(f"{', '.join(facts)}, layout {dataset.layout}. {verdict} To be added by its authors: {', '.join(OPEN)}.")


def _context() -> dict[str, Any]:
    """The standard context of Croissant 1.0."""
    context: dict[str, Any] = {term: f"cr:{term}" for term in _TERMS}
    context |= {
        "@language": "en", "@vocab": "https://schema.org/", "sc": "https://schema.org/", "cr": "http://mlcommons.org/croissant/",
        "rai": "http://mlcommons.org/croissant/RAI/", "dct": "http://purl.org/dc/terms/", "conformsTo": "dct:conformsTo",
        "data": {"@id": "cr:data", "@type": "@json"}, "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
        "examples": {"@id": "cr:examples", "@type": "@json"},
    }  # fmt: skip
    return dict(sorted(context.items()))
