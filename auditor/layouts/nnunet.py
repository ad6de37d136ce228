"""nnU-Net (versions 1 and 2) and the Medical Segmentation Decathlon: `dataset.json` beside `imagesTr`, `labelsTr`, `imagesTs`.

A case is one record, its channels (`case_0000`, `case_0001`) are its files; the names of channels and of the values in the
masks are those of `dataset.json`. Source: nnU-Net, documentation/dataset_format.md; Antonelli et al. 2022 (Decathlon).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from auditor.layout import Detection, Listing, Options
from auditor.naming.suffixes import stem_of
from auditor.placement.claims import claim
from auditor.placement.listing import resolve_inside
from auditor.placement.records import Draft, build, no_labels
from auditor.reading.jobs import run_job, told
from auditor.values.annotations import Description
from auditor.values.dataset import Dataset, Problem
from auditor.values.errors import DatasetError, UnreadableFile
from auditor.values.results import Guess

READS = frozenset(("splits", "masks", "channels"))

_PARTS = {
    "imagestr": ("labelstr", "train"),
    "imagesval": ("labelsval", "val"),
    "imagesva": ("labelsva", "val"),
    "imagests": ("labelsts", "test"),
}
_CHANNEL = re.compile(r"(.+)_(\d{4})")


@dataclass(kw_only=True)
class _Case:
    """One record: `files` by number of the channel."""

    split: str
    files: dict[int, str] = field(default_factory=dict)
    mask: str | None = None


def detect(listing: Listing, options: Options) -> Detection | None:  # noqa: ARG001
    """One description, and images in the folders that it speaks of."""
    place = _place(listing)
    if place is None or not any(_part(path, place) in _PARTS for path in listing.inventory.images):
        return None
    return Detection(layout="nnunet", confidence=0.97, why="dataset.json beside imagesTr, as nnU-Net and the Decathlon have it")


def load(listing: Listing, options: Options) -> Dataset:
    """One record per case; channels of a case are its files.

    Raises:
        DatasetError: no `dataset.json`, or one that cannot be read.
    """
    place = _place(listing)
    if place is None:
        raise DatasetError(f"{listing.target}: no dataset.json of nnU-Net or the Decathlon found; choose another layout")
    name = f"{place}dataset.json"
    try:
        said: Description = run_job(
            "auditor.placement.nnunet_file:read", listing.root / name, limits=options.limits, workers=options.workers
        )
    except UnreadableFile as error:
        raise DatasetError(f"{listing.target}: {name} cannot be read ({told(error)})") from None
    masks, cases, left_out = _sort(listing, place, said)
    ids = [case.files[min(case.files)] for case in cases.values()]
    problems = [*listing.problems, *_problems(listing, place, said, cases, masks)]
    notes = [*said.notes]
    trained = sum(case.split == "train" for case in cases.values())
    if said.count is not None and said.count != trained:
        notes.append(f"{name} says numTraining {said.count:,}: there are {trained:,} cases in imagesTr")
    if left_out:
        notes.append(f"{len(left_out):,} images lie outside imagesTr, imagesTs and labelsTr: left out")
    kinds = [problem.kind for problem in problems]
    guesses = [Guess(role="split", value="folders imagesTr, imagesTs", confidence=0.97, why="as nnU-Net names them")]
    if masks:
        guesses.append(Guess(role="mask", value="labelsTr", confidence=0.97, why=f"{len(masks):,} masks called as their cases"))
    numbers = sorted({number for case in cases.values() for number in case.files})
    return build(
        Draft(
            root=listing.root,
            name=listing.target.name,
            claims=claim(listing, "nnunet", masks=masks, annotations=[name], left_out=left_out),
            ids=ids,
            labels=no_labels(ids),
            columns={
                "path": ids,
                "split": [case.split for case in cases.values()],
                "mask": [case.mask for case in cases.values()],
            },
            channels={_called(number, said): [case.files.get(number) for case in cases.values()] for number in numbers},
            mask_names=said.values,
            counts={"missing": kinds.count("missing"), "unlisted": kinds.count("unlisted")},
            guesses=tuple(guesses),
            notes=tuple(notes),
            problems=tuple(problems),
        )
    )


def _place(listing: Listing) -> str | None:
    """The folder of the only `dataset.json`, with its slash; None where there is none, or several."""
    places = [name[: -len("dataset.json")] for name in listing.files if name.rpartition("/")[2] == "dataset.json"]
    return places[0] if len(places) == 1 else None


def _part(path: str, place: str) -> str:
    """The folder below the description that a file lies in, in lower case."""
    return path.removeprefix(place).partition("/")[0].lower() if path.startswith(place) else ""


def _called(number: int, said: Description) -> str:
    return said.channels[number] if number < len(said.channels) else f"channel {number}"


def _sort(listing: Listing, place: str, said: Description) -> tuple[list[str], dict[tuple[str, str], _Case], list[str]]:
    """Masks, cases by folder and name, and the images that are neither."""
    images = listing.inventory.images
    by_place = {(_part(path, place), stem_of(path)): path for path in images}
    folders = {folder for folder, _ in _PARTS.values()}
    masks = [path for path in images if _part(path, place) in folders]
    cases: dict[tuple[str, str], _Case] = {}
    left_out: list[str] = []
    for path in images:
        part = _part(path, place)
        if part not in _PARTS:
            left_out += [path] if part not in folders else []
            continue
        drawn, split = _PARTS[part]
        called, number = _case_of(stem_of(path), drawn, by_place, max(len(said.channels), 1))
        case = cases.setdefault((part, called), _Case(split=split, mask=by_place.get((drawn, called))))
        case.files[number] = path
    return masks, cases, left_out


def _case_of(stem: str, drawn: str, by_place: Mapping[tuple[str, str], str], channels: int) -> tuple[str, int]:
    """Name of the case and number of the channel. A stem that has a mask of its own is a case of one file."""
    found = _CHANNEL.fullmatch(stem)
    if found is None or (drawn, stem) in by_place or int(found[2]) >= channels:
        return stem, 0
    return found[1], int(found[2])


def _problems(
    listing: Listing, place: str, said: Description, cases: Mapping[tuple[str, str], _Case], masks: Sequence[str]
) -> Iterator[Problem]:
    """Channels and images that are not there, cases without a mask, masks without a case, cases that are not listed."""
    listed = {
        (_part(f"{place}{inside}", place), stem_of(inside)): f"{place}{inside}"
        for name in said.listed
        if (inside := resolve_inside(listing.root, name))
    }
    for (part, called), case in cases.items():
        record = case.files[min(case.files)]
        for number in range(len(said.channels)):
            if number not in case.files and len(case.files) < len(said.channels) and _several(cases):
                shown = f"{record.rpartition('/')[0]}/{called}_{number:04d}"
                reason = f"the channel {_called(number, said)} of the case is not there"
                yield Problem(kind="missing", path=shown, reason=reason, record=record)
        if case.split == "train" and case.mask is None:
            yield Problem(kind="unlisted", path=record, reason="a training case without a mask", record=record)
        stems = {called, *(stem_of(path) for path in case.files.values())}
        if listed and any(folder == part for folder, _ in listed) and not any((part, stem) in listed for stem in stems):
            yield Problem(kind="unlisted", path=record, reason="there, but not named by dataset.json", record=record)
    known = {(part, stem) for (part, called), case in cases.items() for stem in (called, *map(stem_of, case.files.values()))}
    for key in sorted(set(listed) - known):
        yield Problem(kind="missing", path=listed[key], reason="named by dataset.json, but not there")
    owned = {case.mask for case in cases.values()}
    for path in masks:
        if path not in owned:
            yield Problem(kind="missing", path=path, reason="the image of this mask is not there")


def _several(cases: Mapping[tuple[str, str], _Case]) -> bool:
    """Channels are files of their own (nnU-Net), and not the fourth axis of one file (Decathlon)."""
    return any(len(case.files) > 1 or min(case.files) > 0 for case in cases.values())
