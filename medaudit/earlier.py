"""The result of an earlier scan of the same: same files, same words, same program, same day.

All that the user can tell a scan is in its words, so all of them count, as they are, and whatever lies where one of them, or
the medaudit.toml that is in play, points to. Nothing heavy is imported here: to show what is known costs little more than to
look at the folder.
"""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from auditor.files import OWN_OUTPUT
from auditor.own import find_config, is_own
from auditor.private import default_folder, user_key
from auditor.reading.losses import LOSSES
from auditor.unchanged.index import index_of
from auditor.unchanged.kept import Kept
from auditor.unchanged.program import program
from auditor.values.results import Run, ScanResult

if TYPE_CHECKING:
    from auditor.plan import Plan
    from auditor.scan import Examined

LEAVES_TRACES = ("crosswalk",)
"""Words by which a scan writes something beside its result."""
PASSING = ("memory", "timeout", "crashed")
"""Kinds of problems that may lie in this machine, now, and not in a file."""
NOT_OF_THE_RESULT = ("rehash",)


@dataclass(frozen=True, kw_only=True)
class Earlier:
    """What one scan depends on, as it is before it begins.

    Args:
        of: all of it as bytes; None as long as something is changing.
        again: the same, asked once more.
        kept: where results lie.
        anew: the user wants it looked at, whatever is known.
    """

    of: bytes
    again: Callable[[], tuple[bytes, bool] | None]
    kept: Kept
    settled: bool
    anew: bool
    begun: float
    losses: int

    def result(self) -> ScanResult | None:
        """The earlier result; its `run` is of now, and says since when nothing has changed."""
        found = None if self.anew else self.kept.find(self.of)
        if found is None:
            return None
        run = Run(
            started=datetime.now(UTC).isoformat(timespec="seconds"), host=platform.node(), unchanged_since=found.run.started,
            seconds=round(time.perf_counter() - self.begun, 3),
        )  # fmt: skip
        return replace(found, run=run, outcomes=tuple(replace(outcome, seconds=0.0) for outcome in found.outcomes))

    def keep(self, examined: Examined) -> None:
        """Keep the result of the scan that was made, where nothing has changed meanwhile and another one would come to it."""
        paths = examined.dataset.records["path"].dropna()
        looked_away = any(OWN_OUTPUT in str(path).split("/") for path in paths) if len(paths) else False
        unread = any(problem.kind in PASSING or "cannot be opened" in problem.reason for problem in examined.dataset.problems)
        crashed = unread or any(outcome.status == "crashed" for outcome in examined.result.outcomes)
        if not self.settled or looked_away or crashed or self.losses != LOSSES.count:
            return
        now = self.again()
        if now is not None and now[0] == self.of:
            self.kept.keep(self.of, examined.result)


def earlier(target: Path, told: Mapping[str, Any], plan: Callable[[], Plan]) -> Earlier | None:
    """What the scan of a target depends on; None where its result is not kept, or nobody can know.

    Args:
        told: the words of the scan (`medaudit.keywords.ScanOptions`), read.
        plan: makes the plan, for the paths that a medaudit.toml names; asked only where there is one.

    Raises:
        ConfigError: medaudit.toml is wrong.
    """
    begun = time.perf_counter()
    if told.get("cache") is False or any(told.get(word) is not None for word in LEAVES_TRACES):
        return None
    key = user_key()
    if key is None or not os.path.exists(target):  # noqa: PTH110 - that of a Path raises where links run in a circle
        return None
    folder = default_folder(os.environ, Path.home())
    environment, search = dict(os.environ), tuple(sys.path)

    def depends() -> tuple[bytes, bool] | None:
        running, files = program(environment, search), _files(target, told, plan, folder)
        return None if running is None or files is None else (running + files[0], files[1])

    now = depends()
    if now is None:
        return None
    return Earlier(
        of=now[0], again=depends, kept=Kept(folder=folder, key=key), settled=now[1],
        anew=bool(told.get("rehash")), begun=begun, losses=LOSSES.count,
    )  # fmt: skip


def _files(target: Path, told: Mapping[str, Any], plan: Callable[[], Plan], private: Path) -> tuple[bytes, bool] | None:
    """The words and all files that they lead to, and whether none of these changed within the last moments."""
    words = {word: value for word, value in sorted(told.items()) if word not in NOT_OF_THE_RESULT and value is not None}
    places = [target] if target.is_dir() else [target, target.parent]
    places += [path for value in words.values() for path in (value if isinstance(value, tuple) else (value,)) if _is_path(path)]
    file = find_config(target) if words.get("config") is None else words["config"]
    said = (str(target), words, str(file), file is not None and is_own(file, private))
    if file is not None:
        whole = plan()
        places += [
            file,
            *whole.predictions,
            *(path for path in (whole.options.root, whole.options.left_out, whole.baseline) if path is not None),
        ]
        places += [(target if target.is_dir() else target.parent) / table for table in whole.options.tables]
    index = index_of(places)
    return None if index is None else (index.digest + repr(said).encode("utf-8", "surrogatepass"), index.settled)


def _is_path(value: object) -> bool:
    return isinstance(value, Path)
