"""Files of one case that are its channels, told by the modality that their names end with: `x_t1`, `x_t1ce`, `x_flair`."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from auditor.naming.suffixes import stem_of

MODALITIES = frozenset(
    (
        "t1", "t1w", "t1n", "t1c", "t1ce", "t1gd", "t1post", "t2", "t2w", "t2f", "flair", "adc", "dwi", "hbv", "swi", "pd",
        "pdw", "mr", "mri", "mrt", "pet", "spect", "suv", "ct", "ctres", "cta", "cbf", "cbv", "tmax", "mtt", "ncct", "mra",
        "dce",
    )
)  # fmt: skip
LEAST_ALIKE = 0.5
"""So many of the cases have the same channels; else the names mean something else."""
_TAIL = re.compile(r"^(?:(?P<base>.*)[_\-. ])?(?P<tail>[A-Za-z]\w*?)$")


@dataclass(frozen=True, kw_only=True)
class Channels:
    """First file of a case → its channels by name, in the order of all cases; `others` are the files behind the first."""

    of: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    names: tuple[str, ...] = ()

    @property
    def others(self) -> frozenset[str]:
        """The files that are no record of their own."""
        return frozenset(path for first, files in self.of.items() for path in files.values() if path != first)

    @property
    def note(self) -> str:
        """How many cases have which channels, and what some of them lack."""
        told = f"{len(self.of):,} cases have several files, which are their channels: {', '.join(self.names)}"
        lacking = {name: sum(name not in files for files in self.of.values()) for name in self.names}
        missing = ", ".join(f"{name} of {count:,}" for name, count in lacking.items() if count)
        return f"{told}; not there: {missing}" if missing else told

    def columns(self, paths: Sequence[str]) -> dict[str, list[str | None]]:
        """Channel → the file of each record; empty where there are no channels. A record that is one file has it first."""
        if not self.of:
            return {}
        table: dict[str, list[str | None]] = {name: [] for name in self.names}
        for path in paths:
            files = self.of.get(path) or {self.names[0]: path}
            for name in self.names:
                table[name].append(files.get(name))
        return table


def find_channels(images: Sequence[str]) -> Channels:
    """Group the files of a case whose names differ in the modality alone.

    The sessions of BIDS (`sub-01_T1w`) are no channels: their images need not lie on one grid.
    """
    groups: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    for path in images:
        found = _TAIL.match(stem_of(path))
        if found is None or found["tail"].lower() not in MODALITIES or (found["base"] or "").startswith("sub-"):
            continue
        group = groups[path.rpartition("/")[0], found["base"] or ""]
        group[found["tail"].lower()] = path
    several = {key: files for key, files in groups.items() if len(files) > 1}
    if len(several) < 2:
        return Channels()
    alike = Counter(frozenset(files) for files in several.values())
    usual, count = min(alike.items(), key=lambda item: (-item[1], sorted(item[0])))
    if count < LEAST_ALIKE * len(several):
        return Channels()
    names = sorted({name for files in several.values() for name in files}, key=lambda name: (name not in usual, name))
    of = {}
    for files in several.values():
        ordered = {name: files[name] for name in names if name in files}
        of[next(iter(ordered.values()))] = ordered
    return Channels(of=of, names=tuple(names))
