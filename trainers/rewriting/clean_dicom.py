"""One DICOM file, cleaned by pydicom and the rules of `Cleaner`. Runs inside the bounded workers (`auditor.reading.jobs`)."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import pydicom

from auditor.containers.dicom_facts import FACT_TAGS, overlay_bits
from auditor.containers.dicom_header import read_elements
from auditor.containers.guard import decoding
from auditor.evidence.privacy.dicom_privacy import dicom_exposure
from auditor.format import open_header, read_source
from auditor.values.errors import UnreadableFile
from auditor.values.image import Limits
from auditor.values.privacy import Privacy
from trainers.rewriting.cleaner import PSEUDONYMS, Cleaned, Cleaner, people_in
from trainers.rewriting.person import Person

_HARMLESS = frozenset(("date", "text", "stated"))


def cleaned(limits: Limits, path: Path, salt: bytes, allowed: tuple[str, ...], burned: str) -> Cleaned:
    """Where one file goes, its cleaned content, and whom it named.

    Args:
        salt: secret of the user.
        allowed: private creators that may stay.
        burned: why it stays behind because of what is in its picture; empty where nothing is known.
    """
    cleaner = Cleaner(salt=salt, allowed=allowed)
    try:
        name, content = _cleaned(path, cleaner, Privacy(pseudonyms=PSEUDONYMS, private_allowed=allowed), limits, burned)
    except UnreadableFile as error:
        return Cleaned(person=cleaner.person, problem=(error.kind, error.reason))
    return Cleaned(person=cleaner.person, path=name, content=content, actions=dict(cleaner.actions))


def _cleaned(path: Path, cleaner: Cleaner, own: Privacy, limits: Limits, burned: str) -> tuple[str, bytes]:
    """Path and content.

    Raises:
        UnreadableFile: no DICOM image, unreadable, or not clean after cleaning (kind `refused`).
    """
    source = read_source(path, limits)
    header = open_header(source, limits)
    if header.format != "dicom":
        raise UnreadableFile("not-dicom", "only DICOM files are de-identified")
    read = read_elements(source.content, FACT_TAGS, limits)
    with decoding("DICOM file", loggers=("pydicom",)):
        dataset = pydicom.dcmread(io.BytesIO(source.content), force=True)
        cleaner.person = people_in(dataset)
        if not header.shape:
            raise UnreadableFile("no-pixels", "documents, reports and plans are left out: their content is text")
        if burned or str(dataset.get("BurnedInAnnotation", "")).strip().upper() == "YES":
            raise UnreadableFile("burned-in", burned or "it says that text is burned into its pixels")
        if "TransferSyntaxUID" not in dataset.file_meta:
            dataset.file_meta.TransferSyntaxUID = read.transfer_syntax
        cleaner.clean(dataset, overlay_planes=overlay_bits(read))
        stream = io.BytesIO()
        pydicom.dcmwrite(stream, dataset, enforce_file_format=True)
        place = "/".join(
            [str(dataset.PatientID), *(_short(str(dataset.get(k, ""))) for k in ("StudyInstanceUID", "SeriesInstanceUID"))]
        )
        name = f"{place}/{_short(str(dataset.SOPInstanceUID))}.dcm"
    content = stream.getvalue()
    rest = {kind for kind in dicom_exposure(content, name, own, limits) if kind not in _HARMLESS}
    if rest:
        raise UnreadableFile("refused", f"not clean after cleaning: {', '.join(sorted(rest))}")
    if Person(cleaner.person.words).is_in_bytes(content):
        raise UnreadableFile("refused", "not clean after cleaning: the name stands in bytes that are no text")
    return name, content


def _short(uid: str) -> str:
    return hashlib.blake2b(uid.encode(), digest_size=8).hexdigest()
