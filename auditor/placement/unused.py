"""Tables and other files of labels that lie in a dataset and that its layout did not read: each is told, with the reason.

A label that nobody reads is a question that nobody asks: the scan would pass where it looked at nothing.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from auditor.naming.suffixes import stem_of, suffix_of
from auditor.placement.archives import TABLES_INSIDE
from auditor.placement.case_notes import keyed_texts, outlines_beside, run_length_columns
from auditor.placement.documents import WORDS, are_boxes, json_kind, xml_kind
from auditor.placement.listing import Listing
from auditor.placement.resolve import Files
from auditor.placement.second_table import unlike
from auditor.placement.table_choice import MAX_CANDIDATES, MAX_JSON_BYTES, judge
from auditor.placement.table_group import Candidate
from auditor.placement.text_tables import MAX_TEXT_BYTES, MAX_TEXTS, MIN_LINES, PROSE, TEXTS, lists_images
from auditor.placement.unread_documents import is_called_as_labels, unread_documents
from auditor.tables.extent import NO_LIST
from auditor.tables.json_forms import KEY
from auditor.tables.label_roles import coordinates
from auditor.tables.tables import preview_table, table_format
from auditor.values.dataset import Problem
from auditor.values.errors import DatasetError

UNUSED = "unused-table"
"""Kind of a problem: labels may lie there, and nothing reads them."""
ASIDE = "table-aside"
"""Kind of a problem: a further table, beside the label table that was read."""
NAMING = 0.2
"""A table names the images when so many of the cells of a column do."""
NEAR_IMAGES = 0.5
FEW_BOXES = 0.1
"""Fewer XML annotations than this share of the images are told without alarm."""
MOST_ALIKE = 3

_SHEETS = frozenset(("sav", "dta", "sas7bdat", "rds", "rdata", "feather", "numbers", "gsheet"))
_SUBMITTED = re.compile(r"submission|submit", re.IGNORECASE)


def unused_tables(
    listing: Listing, read: frozenset[str], claimed: frozenset[str], images: Sequence[str], *, labelled: bool
) -> tuple[Problem, ...]:
    """Files that may hold labels and were not read.

    Args:
        read: the tables that the layout read.
        claimed: files that it used otherwise.
        images: the files of the records.
        labelled: labels were found elsewhere.
    """
    found: list[Problem] = []
    main: Candidate | None = None
    for name in sorted(read & set(listing.inventory.tables)):
        judged, _ = _judged(listing, name, images)
        main = judged if judged is not None and (main is None or judged.confidence > main.confidence) else main
    tables = [name for name in listing.inventory.tables if name not in read and name not in claimed]
    for name in sorted(tables, key=lambda name: (name.count("/"), name))[:MAX_CANDIDATES]:
        problem = _of_table(listing, name, main, images, any_read=bool(read), labelled=labelled)
        if problem is not None:
            found.append(problem)
    found = gathered(found)
    told = {problem.path for problem in found}
    unread = [name for name in tables if table_format(name) == "json" and name not in told]
    others = [name for name in listing.inventory.other if name not in read and name not in claimed]
    found += _of_others(listing, others, images, any_read=bool(read))
    found += _run_lengths(listing, read, listing.inventory.tables)
    told = {problem.path for problem in found}
    arrays = [name for name in listing.inventory.containers if name not in read and name not in claimed]
    unread += [name for name in (*others, *arrays) if name not in told and name not in set(images)]
    documents = unread_documents(listing, unread, images)
    return tuple(found) + tuple(_problem(name, reason, grave=not read) for name, reason in documents)


def gathered(found: Sequence[Problem]) -> list[Problem]:
    """Many files of one kind and reason (an outline beside each image) are one problem: their folder, and how many."""
    alike: dict[tuple[str, str, str], list[Problem]] = defaultdict(list)
    for problem in found:
        alike[problem.kind, problem.reason, problem.path.rpartition("/")[0]].append(problem)
    told: list[Problem] = []
    for (_, reason, folder), problems in alike.items():
        one = problems[0]
        many = len(problems) > MOST_ALIKE
        told += (
            [replace(one, path=folder or one.path, reason=f"{len(problems):,} files: each is {reason}")] if many else problems
        )
    return told


def _problem(name: str, reason: str, *, grave: bool) -> Problem:
    return Problem(kind=UNUSED if grave else ASIDE, path=name, reason=reason)


def _judged(listing: Listing, name: str, images: Sequence[str]) -> tuple[Candidate | None, str]:
    """What a table looks like, or why it cannot be read."""
    if table_format(name) == "json" and listing.files[name] > MAX_JSON_BYTES:
        return None, f"a JSON file of more than {MAX_JSON_BYTES >> 20} MB is not looked into"
    try:
        return judge(name, preview_table(listing.root / name, listing.limits), listing.root, images), ""
    except DatasetError as error:
        return None, str(error).removeprefix(f"{listing.root / name}: ")


def _of_table(
    listing: Listing, name: str, main: Candidate | None, images: Sequence[str], *, any_read: bool, labelled: bool
) -> Problem | None:
    if table_format(name) == "json":
        known = json_kind(listing.root / name)
        if known:
            return _problem(name, f"{WORDS[known]}, which this layout does not read: say --layout {known}", grave=not any_read)
    judged, reason = _judged(listing, name, images)
    if judged is None:
        # A JSON file that is no list of records is a description or a sidecar, not a label table.
        described = table_format(name) == "json" and (NO_LIST in reason or not is_called_as_labels(name))
        return None if described else _problem(name, f"it cannot be read: {reason}", grave=True)
    if any_read:
        better = judged.useful and main is not None and not main.useful
        sister = main is not None and judged.header == main.header and judged.share >= NAMING
        if sister and _SUBMITTED.search(stem_of(name)):
            return _problem(name, "it is called like an answer to a challenge, and is no label table", grave=False)
        if better or sister:
            what = (
                "holds labels, and the table that was read holds none"
                if better
                else "has the header of the table that was read"
            )
            return _problem(name, f"it {what}; name it with [dataset] tables in medaudit.toml", grave=True)
        if judged.share >= NAMING and coordinates(judged.header):
            return _problem(name, "it names places in the images (coordinates), which are not read", grave=False)
        if main is not None and judged.share >= NAMING and (reason := unlike(listing, judged, main)):
            return _problem(name, reason, grave=True)
        if judged.share >= NAMING and judged.useful:
            return _problem(name, "it names the images too; another table was read", grave=False)
        return None
    size = len(images)
    alike = size > 0 and NEAR_IMAGES * size <= judged.rows <= 4 * size
    if judged.case:
        reason = "a column calls the cases of the images, whose labels were read elsewhere; to read it instead, name the table"
        return _problem(name, reason, grave=judged.useful or not labelled)
    if judged.share >= NAMING and len(judged.header) > 1:  # a mere list of the images says nothing of them
        reason = (
            f"a column names the image files ({judged.share:.0%} of what was tried), but the layout reads no table; name it"
        )
        return _problem(name, reason, grave=True)
    if judged.share >= NAMING:
        return None
    if judged.folders:
        return _problem(name, "a column names folders of the images: not joined", grave=not labelled)
    if KEY in judged.header and table_format(name) == "json" and not alike:
        return None  # classes, runs or settings by their names: a description, and no labels of images
    if judged.useful or (alike and table_format(name) != "json"):
        return _problem(
            name, f"no column names the image files ({judged.rows:,} rows): add a column with their names", grave=True
        )
    return None


def _of_others(listing: Listing, names: Sequence[str], images: Sequence[str], *, any_read: bool) -> list[Problem]:
    archives = listing.inventory.archives
    found = [_problem(name, archives[name], grave=not any_read) for name in names if archives.get(name) == TABLES_INSIDE]
    found += [
        _problem(name, "a file of a statistics program or of a spreadsheet is not read: save it as csv", grave=not any_read)
        for name in names
        if suffix_of(name).removesuffix(".gz") in _SHEETS
    ]
    found += _of_xml(listing, [name for name in names if suffix_of(name) == "xml"], images, any_read=any_read)
    texts = [n for n in names if suffix_of(n) in TEXTS and not PROSE.search(stem_of(n))]
    stems = {stem_of(path) for path in images}
    beside = [name for name in texts if PurePosixPath(name).stem in stems]
    if len(beside) >= max(MIN_LINES, NEAR_IMAGES * len(images)):
        folders: dict[str, int] = defaultdict(int)
        for name in beside:
            folders[name.rpartition("/")[0]] += 1
        what = (
            "files of boxes (YOLO)"
            if are_boxes(listing.root / name for name in beside[:5])
            else "text files called after the images"
        )
        where = max(folders, key=lambda folder: folders[folder])
        found.append(_problem(where or beside[0], f"{len(beside):,} {what} are not read", grave=not any_read))
    found += [_problem(name, reason, grave=True) for name, reason in keyed_texts(listing, names, images)]
    aside = set(beside)
    found += [
        _problem(name, reason, grave=not any_read)
        for name, reason in outlines_beside([name for name in texts if name not in aside], images)
    ]
    there = Files(images)
    for name in [name for name in texts if name not in aside][:MAX_TEXTS]:
        if 0 < listing.files[name] <= MAX_TEXT_BYTES and lists_images(listing.root / name, there):
            reason = "a text file that names the images is not looked for in a folder; name it: medaudit scan " + name
            found.append(_problem(name, reason, grave=not any_read))
    return found


def _of_xml(listing: Listing, names: Sequence[str], images: Sequence[str], *, any_read: bool) -> list[Problem]:
    """Annotations in XML: one file of CVAT, or files of VOC that are not called after the images."""
    kinds = {name: xml_kind(listing.root / name) for name in names[:MAX_CANDIDATES]}
    found = [
        _problem(name, "a CVAT file of annotations, which this layout does not read: say --layout cvat", grave=not any_read)
        for name, kind in kinds.items()
        if kind == "cvat"
    ]
    boxes = [name for name, kind in kinds.items() if kind == "voc"]
    others = {name: kind for name, kind in kinds.items() if kind not in ("", "cvat", "voc")}
    for kind in sorted(set(others.values())):
        mine = [name for name, of in others.items() if of == kind]
        reason = f"{len(mine):,} XML files hold {kind}, which are not read: save them as COCO, VOC or masks"
        found.append(_problem(mine[0].rpartition("/")[0] or mine[0], reason, grave=not any_read))
    if boxes:
        # One stray file beside many images is told, and is not what the images' labels are.
        grave = not any_read and len(names) >= FEW_BOXES * len(images)
        reason = f"{len(boxes):,} XML annotations (VOC) are not read; if they belong to the images, say --layout voc"
        found.append(_problem(boxes[0].rpartition("/")[0] or boxes[0], reason, grave=grave))
    return found


def _run_lengths(listing: Listing, read: frozenset[str], tables: Sequence[str]) -> list[Problem]:
    """Columns of masks as run lengths, in the tables that were read or lie beside them."""
    found = []
    for name in sorted(tables, key=lambda name: (name not in read, name))[:MAX_CANDIDATES]:
        if table_format(name) == "json":
            continue
        try:
            columns = run_length_columns(preview_table(listing.root / name, listing.limits).frame)
        except DatasetError:
            continue  # told above
        told = ", ".join(map(repr, columns[:2]))
        reason = f"the column {told} holds masks as run lengths, which are not read: draw each as a file"
        found += [_problem(name, reason, grave=True)] if columns else []
    return found
