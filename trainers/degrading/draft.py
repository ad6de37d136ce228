"""The worse copy while it is made: which file has which content, what became of which record, and how bad it is."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from auditor.degrade.flaws import Truth
from auditor.evidence.privacy.withhold import Withholding, withheld_names
from auditor.layout import Options, list_files
from auditor.plan import Plan
from auditor.values.dataset import Dataset
from auditor.values.errors import ConfigError
from auditor.values.label_rows import LabelRows
from trainers.copying.place import bring, put
from trainers.degrading.table import WorseTable
from trainers.degrading.wish import Wish


@dataclass(kw_only=True)
class Draft:
    """What a step is given and changes.

    Args:
        dataset: as it is, with its metadata.
        target: what was named.
        wish: what is asked for.
        plan: how files are read.
        work: private folder for files that are made.
        files: path in the copy → the file that lies there.
        moved: record → where its picture lies now, of those that moved.
        truth: what was done; ids of records as they were.
        scores: F1 of every mask, or of the boxes of every picture, against the original.
        notes: what to know.
    """

    dataset: Dataset
    target: Path
    wish: Wish
    plan: Plan
    work: Path
    files: dict[str, Path]
    moved: dict[str, str] = field(default_factory=dict)
    truth: list[Truth] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    _made: int = 0

    @property
    def options(self) -> Options:
        """As the dataset was opened."""
        return replace(self.plan.options, limits=self.plan.config.limits_of())

    @cached_property
    def table(self) -> WorseTable:
        """Its label table, to be changed.

        Raises:
            ConfigError: it has none that is written in place.
        """
        return WorseTable(self.dataset, self.target, self.options)

    @property
    def rows(self) -> LabelRows:
        """The label table by row.

        Raises:
            ConfigError: there is none.
        """
        if self.dataset.rows is None:
            raise ConfigError("the dataset has no label table that could be written anew")
        return self.dataset.rows

    @property
    def has_table(self) -> bool:
        """Labels are those of a table."""
        return self.dataset.summary.layout == "table"

    def seed(self, what: str) -> int:
        """A seed of its own for each thing that is drawn."""
        return zlib.crc32(f"{self.wish.seed}\x1f{what}".encode("utf-8", "surrogatepass"))

    def new_file(self) -> Path:
        """A place for a file that is made."""
        self._made += 1
        return self.work / f"{self._made}"

    def path(self, record: str) -> str:
        """Where the picture of a record lies in the copy."""
        return self.moved.get(record, str(self.dataset.records.at[record, "path"]))

    @cached_property
    def _hidden(self) -> Withholding:
        return Withholding(withheld_names(self.dataset))

    def shown(self, path: str) -> str:
        """A path or an id for a message: what could name a person is withheld."""
        return self._hidden.text(path)

    def move(self, record: str, path: str) -> None:
        """The picture of a record lies elsewhere, under a free name."""
        old = self.path(record)
        free = free_name(path, self.files)
        self.files[free] = self.files.pop(old)
        self.moved[record] = free

    def write(self, folder: Path) -> None:
        """Bring all files, and write the tables."""
        made = self.table.files() if "table" in vars(self) else {}
        for path, source in self.files.items():
            if path not in made:
                bring(folder / path, source)
        for path, content in made.items():
            put(folder / path, content)


def draft_of(dataset: Dataset, target: Path, wish: Wish, plan: Plan, work: Path) -> Draft:
    """All files of a folder; of a table or an npz that was named, that one and what its records are.

    Raises:
        ConfigError: pictures lie outside the folder of the dataset.
    """
    home = target if target.is_dir() else target.parent
    if dataset.root.resolve() != home.resolve():
        raise ConfigError(f"{target.name}: its pictures lie outside its folder; name the folder that holds both")
    listing = list_files(target, plan.config.limits_of())
    paths = dict.fromkeys(listing.files)
    if target.is_file():
        named = [dataset.records["path"], dataset.records["mask"]]
        named += [frame["path"] for frame in (dataset.rater_masks, dataset.channels) if "path" in frame]
        paths |= dict.fromkeys(str(path) for column in named for path in column.dropna())
        paths = {path: None for path in paths if (home / path).is_file()}
    return Draft(
        dataset=dataset, target=target, wish=wish, plan=plan, work=work, files={path: home / path for path in sorted(paths)}
    )


def free_name(path: str, taken: dict[str, Path]) -> str:
    """The path, numbered before its suffix where another file has it."""
    folder, slash, name = path.rpartition("/")
    stem, dot, suffix = name.partition(".")
    number, found = 2, path
    while found in taken:
        found = f"{folder}{slash}{stem}-{number}{dot}{suffix}"
        number += 1
    return found
