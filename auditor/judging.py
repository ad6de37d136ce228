"""Who judges: a medaudit.toml that was found in a dataset says how it is read, and never loosens how it is judged.

The gate runs on what strangers send, and whoever packs a folder may pack a medaudit.toml with it. So a file that lies there
and that nobody named may pin layout, roles, classes and design, and may ask for more; whatever could turn an exit code of 1
into 0 (severities, thresholds, waivers, what is ignored, limits, privacy, paths that leave the folder) counts only where
whoever runs the scan names the file with `--config`. Standing in the folder names nothing: `cd dataset && medaudit scan .` is
how one looks at a folder that was just unpacked.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from auditor.check import check_classes
from auditor.config import Config, read_config
from auditor.own import find_config, is_own
from auditor.reading.jobs import run_job, told
from auditor.values.baseline import Baseline
from auditor.values.errors import ConfigError, UnreadableFile
from auditor.values.image import Limits
from auditor.values.results import Severity

NOBODY = "none"
"""`--config none`: no file is read, whatever lies there."""
READING = {
    "dataset": frozenset(
        (
            "layout",
            "level",
            "task",
            "separator",
            "root",
            "tables",
            "boxes",
            "corrected",
            "channels",
            "mask-names",
        )
    ),
    "design": frozenset(("kind", "strata", "splits")),
    "fix": frozenset(("strategy", "trusted", "evaluate", "seeds", "device")),
}
"""Keys of a section that a found file may set."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a scan goes by.

    Args:
        config: what counts.
        file: where it was read; None = nowhere.
        set_aside: what the file says and does not count, by the names of its keys; no value, for the file is a stranger's.
    """

    config: Config
    file: Path | None = None
    set_aside: tuple[str, ...] = ()


def settings_for(target: Path, named: Path | None, private: Path) -> Settings:
    """The file that was named, whole; else what lies beside the dataset, as far as it may speak.

    Args:
        private: folder that knows which files the user's own `medaudit fix` wrote; those judge as if they were named.

    Raises:
        ConfigError: the file is wrong.
    """
    if named is not None:
        return Settings(config=Config()) if str(named) == NOBODY else Settings(config=read_config(named), file=named)
    found = find_config(target)
    if found is None:
        return Settings(config=Config())
    if is_own(found, private):
        return Settings(config=read_config(found), file=found)
    config, aside = honoured(read_config(found), found.parent)
    return Settings(config=config, file=found, set_aside=aside)


def read_baseline(path: Path, limits: Limits) -> Baseline:
    """The findings of a result.json, read in a bounded worker.

    Raises:
        ConfigError: it cannot be read, or is no result of a scan.
    """
    try:
        return Baseline(findings=run_job("auditor.baseline_file:entries", path, limits=limits))
    except UnreadableFile as error:
        raise ConfigError(f"{path}: the baseline cannot be read ({told(error)})") from None


def honoured(config: Config, folder: Path) -> tuple[Config, tuple[str, ...]]:
    """What of a found file counts, and the names of what does not.

    Args:
        config: as it was read.
        folder: where it lies; what it names must lie inside.
    """
    given: dict[str, Any] = config.model_dump(by_alias=True, exclude_unset=True)
    kept: dict[str, Any] = {"roles": given.get("roles", {})}
    aside: list[str] = []
    for section, values in given.items():
        if section == "waivers":
            aside += [f"[[waivers]], {len(values)} of them"] if values else []
        elif section == "scan":
            kept["scan"] = {key: value for key, value in values.items() if _asks_more(key, value)}
        elif section == "severity":
            kept["severity"] = {code: level for code, level in values.items() if _is_raised(code, level)}
        elif section in READING:
            inside = _Inside(folder)
            kept[section] = {k: v for k, v in values.items() if k in READING[section] and inside.holds(section, k, v)}
        if section not in ("waivers", "roles"):
            aside += [f"[{section}] {key}" for key in _lost(values, kept.get(section, {}))]
    return Config.model_validate(kept), tuple(aside)


def _lost(given: Mapping[str, Any], kept: Mapping[str, Any]) -> Iterator[str]:
    yield from (key for key in given if key not in kept)


def _asks_more(key: str, value: Any) -> bool:
    """A key of `[scan]` that can only make the gate stricter."""
    return (
        key == "require" or (key == "strict" and value is True) or (key == "fail-on" and value in ("error", "warning", "info"))
    )


def _is_raised(code: str, level: Severity) -> bool:
    """A severity at least as high as any that the check gives by itself."""
    own = next(check.severity for check in check_classes() if check.code == code)
    return Severity(level).rank >= own.rank


@dataclass(frozen=True)
class _Inside:
    """Whether what a section names stays in the folder of its file; links are followed before it is asked."""

    folder: Path

    def holds(self, section: str, key: str, value: Any) -> bool:
        """No path of this value leads out."""
        several = key == "tables"
        paths = (value if several else [value]) if section == "dataset" and key in ("root", "tables", "boxes") else None
        if paths is None and section == "fix" and key in ("trusted", "evaluate"):
            paths = [value] if os.sep in value or ".." in value else []
        return all(self._is_inside(str(path)) for path in paths or ())

    def _is_inside(self, path: str) -> bool:
        top = self.folder.resolve()
        return (top / path).resolve().is_relative_to(top)
