"""Near-duplicates of a dataset: candidates by shared words, verified on pixels, gathered in stars around one image each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from auditor.evidence.kin.identity import identity
from auditor.evidence.likeness.candidates import candidate_pairs
from auditor.evidence.likeness.compare import Standard
from auditor.evidence.likeness.sketches import WordList
from auditor.evidence.likeness.verify import Verifier
from auditor.progress import Progress, Silent
from auditor.values.dataset import Dataset

Codes = npt.NDArray[np.int64]

ONE_PATIENT = Standard(coarse=0.99, quartile=0.97, fine=0.96, lean=0.002)
"""For two images of one known patient: a second exposure is likelier than a copy, and the patient links them anyway."""

SCENE = "taken twice"
"""How the `how` of two pictures of one scene begins that are no copies of each other."""


@dataclass(frozen=True, kw_only=True)
class NearPair:
    """Two pictures of one scene, by position of their records; `held` is False where it joins nothing (see `starred`)."""

    first: int
    second: int
    score: float
    how: str
    held: bool = True


def near_pairs(dataset: Dataset, identical: Codes, *, threads: int = 1, progress: Progress | None = None) -> list[NearPair]:
    """All verified near-duplicates, and pairs that show one scene twice (not `held`), in the order of positions.

    Of identical images only the first takes part. Two instances of one series are slices or views of one acquisition, which
    the series already links, and are not compared. Two images of one patient must agree better to be copies.

    Args:
        dataset: after `extract`.
        identical: group of identical images per record, −1 = alone; shape (records,).
        threads: that share the work.
        progress: told of every pair.
    """
    sketches = dataset.sketches
    if sketches is None or not len(sketches):
        return []
    ids = [str(record) for record in dataset.records.index]
    first_of_group = np.ones(dataset.size, bool)
    grouped = np.flatnonzero(identical >= 0)
    first_of_group[grouped] = False
    first_of_group[grouped[np.unique(identical[grouped], return_index=True)[1]]] = True
    places = np.array([i for i in np.flatnonzero(first_of_group) if ids[i] in sketches], np.int64)
    a, b, _ = candidate_pairs(WordList(sketches=sketches, records=[ids[i] for i in places]))
    a, b = places[a], places[b]
    compared = ~one_acquisition(dataset, a, b)
    a, b = a[compared], b[compared]
    patient = identity(dataset, "patient")
    one_patient = (patient[a] >= 0) & (patient[a] == patient[b])
    verifier = Verifier(sketches=sketches, threads=threads)
    answers = verifier.verify_all(
        [(ids[i], ids[j]) for i, j in zip(a.tolist(), b.tolist(), strict=True)],
        [ONE_PATIENT if one else None for one in one_patient.tolist()],
    )
    copies: list[NearPair] = []
    scenes: list[NearPair] = []
    progress = progress or Silent()
    progress.start("comparing pictures", len(a))
    for i, j, one, same in zip(a.tolist(), b.tolist(), one_patient.tolist(), answers, strict=True):
        progress.advance()
        if same is not None and same.copy:
            copies.append(NearPair(first=i, second=j, score=same.score, how=same.how))
        elif same is not None and not one:
            # that one patient was seen twice is known
            scenes.append(NearPair(first=i, second=j, score=same.score, how=f"{SCENE}: {same.how}", held=False))
    progress.finish()

    def alike(i: int, j: int) -> bool:
        one = patient[i] >= 0 and patient[i] == patient[j]
        same = verifier.verify(ids[i], ids[j], ONE_PATIENT if one else None)
        return same is not None and same.copy

    return sorted([*starred(copies, alike=alike), *scenes], key=lambda pair: (pair.first, pair.second))


def one_acquisition(dataset: Dataset, a: Codes, b: Codes) -> npt.NDArray[np.bool_]:
    """Pairs of different instances of one series."""
    series = identity(dataset, "series")
    marks = dataset.fingerprints
    if "instance" not in marks:
        return np.zeros(len(a), bool)
    instance = marks["instance"].astype("category").cat.codes.to_numpy()
    same_series = (series[a] >= 0) & (series[a] == series[b])
    apart: npt.NDArray[np.bool_] = same_series & (instance[a] >= 0) & (instance[b] >= 0) & (instance[a] != instance[b])
    return apart


def starred(pairs: Sequence[NearPair], *, alike: Callable[[int, int], bool]) -> list[NearPair]:
    """The pairs, those that no group holds marked.

    No chaining: A like B, B like C, C like D is no group of four. The image with most verified copies (the earlier one where
    equal) is the centre of a star of them; then the next among the rest. A pair between two stars is held only when the
    centres are copies of each other as well.

    Args:
        pairs: verified copies.
        alike: whether the images at two positions are verified copies.
    """
    copies: dict[int, set[int]] = {}
    for pair in pairs:
        copies.setdefault(pair.first, set()).add(pair.second)
        copies.setdefault(pair.second, set()).add(pair.first)
    star: dict[int, int] = {}
    for centre in sorted(copies, key=lambda image: (-len(copies[image]), image)):
        if centre not in star:
            star[centre] = centre
            star.update({image: centre for image in copies[centre] if image not in star})
    known: dict[tuple[int, int], bool] = {}
    held: list[NearPair] = []
    for pair in pairs:
        one, other = sorted((star[pair.first], star[pair.second]))
        if one != other and (one, other) not in known:
            known[one, other] = other in copies[one] or alike(one, other)
        held.append(replace(pair, held=one == other or known[one, other]))
    return held
