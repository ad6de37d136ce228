"""medaudit.toml: what the user declares about the dataset and about the gate. Unknown keys are errors."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import fields as dataclass_fields
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from pydantic import Field as Key
from pydantic import ValidationError

from auditor.check import Check, check_classes
from auditor.config_sections import (
    DatasetSection,
    DesignSection,
    FixSection,
    LimitsSection,
    PrivacySection,
    ScanSection,
    Section,
    Waiver,
)
from auditor.files import open_regular
from auditor.placement.listing import Options
from auditor.values.dataset import ROLES, Design
from auditor.values.errors import ConfigError
from auditor.values.image import Limits
from auditor.values.patterns import pattern_of
from auditor.values.privacy import Privacy
from auditor.values.results import Severity
from auditor.values.suggestion import suggestion

T = TypeVar("T")

MOST_BYTES = 256 << 10
"""medaudit.toml is smaller; a table of accepted findings of a thousand lines is a tenth of it."""
_CHAIN = pattern_of(r"""(?:(?:[\w-]+|"[^"\n]*"|'[^'\n]*')[ \t]*\.[ \t]*){64}""")
"""A key of so many parts, on which the parser would spend the square of their number."""


class Config(Section):
    """medaudit.toml as a whole."""

    dataset: DatasetSection = DatasetSection()
    roles: Mapping[str, str] = Key(default_factory=dict)
    design: DesignSection = DesignSection()
    privacy: PrivacySection = PrivacySection()
    scan: ScanSection = ScanSection()
    limits: LimitsSection = LimitsSection()
    severity: Mapping[str, Severity] = Key(default_factory=dict)
    checks: Mapping[str, Mapping[str, Any]] = Key(default_factory=dict)
    fix: FixSection = FixSection()
    strategies: Mapping[str, Mapping[str, Any]] = Key(default_factory=dict)
    waivers: tuple[Waiver, ...] = ()

    def options(self, where: Path) -> Options:
        """The roles and the layout that the file pins; `root` is relative to the file."""
        root = None if self.dataset.root is None else where / self.dataset.root
        d = self.dataset
        return Options(
            roles=self.roles, root=root, layout=d.layout, level=d.level, task=d.task, separator=d.separator, tables=d.tables,
            corrected=d.corrected, left_out=None if d.left_out is None else where / d.left_out, origin=d.label_origin,
            channels=d.channels, mask_names={int(value): name for value, name in d.mask_names.items()}, own_tables=d.own_tables,
            boxes=d.boxes,
            readings=d.readings,
        )  # fmt: skip

    def design_of(self) -> Design:
        """The declared design as a value of the dataset."""
        return Design(**self.design.model_dump())

    def privacy_of(self) -> Privacy:
        """What is declared to be no identifier; `[design] pseudonyms` counts where `[privacy]` names none."""
        declared = self.privacy
        return Privacy(
            pseudonyms=declared.pseudonyms or self.design.pseudonyms,
            private_allowed=declared.private_allowed,
            quasi_identifiers=declared.quasi_identifiers,
        )

    def limits_of(self) -> Limits:
        """The bounds per file."""
        return replace(Limits(), **{k: v for k, v in self.limits.model_dump().items() if v is not None})

    def configured(self, check: type[Check]) -> Check:
        """The check with the thresholds of `[checks.CODE]`.

        Raises:
            ConfigError: a threshold that the check does not have, or of the wrong type.
        """
        return configured(check, self.checks.get(check.code, {}), f"checks.{check.code}")


def configured(kind: type[T], values: Mapping[str, Any], section: str) -> T:
    """A check or a strategy with the options that a section of medaudit.toml gives it.

    Raises:
        ConfigError: unknown option or wrong type.
    """
    options = {f.name: f.default for f in dataclass_fields(kind)}  # type: ignore[arg-type]
    chosen: dict[str, Any] = {}
    for key, value in values.items():
        name = key.replace("-", "_")
        if name not in options:
            raise ConfigError(f"[{section}] has no option {key!r}{suggestion(name, options)}")
        default = options[name]
        number = isinstance(default, int | float) and not isinstance(default, bool)
        fits = (isinstance(value, int | float) and not isinstance(value, bool)) if number else isinstance(value, type(default))
        if isinstance(default, int) and not isinstance(default, bool) and not isinstance(value, int):
            fits = False
        if isinstance(default, tuple) and isinstance(value, list):
            fits, value = True, tuple(value)
        if not fits:
            raise ConfigError(f"[{section}] {key} = {value!r}: a {type(default).__name__} is needed")
        chosen[name] = value
    return kind(**chosen)


def read_config(path: Path) -> Config:
    """Read and check medaudit.toml.

    Raises:
        ConfigError: unreadable, not TOML, an unknown key, a wrong value; one line that says where.
    """
    try:
        with open_regular(path) as stream:
            text = stream.read(MOST_BYTES + 1)
        if len(text) > MOST_BYTES:
            raise ConfigError(f"{path}: larger than {MOST_BYTES >> 10:,} KiB: no settings of ours")
        decoded = text.decode("utf-8")
        if _CHAIN.search(decoded) is not None:
            raise RecursionError
        content = tomllib.loads(decoded)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})") from None
    except RecursionError:
        raise ConfigError(f"{path}: not a TOML file that can be read (nested too deeply)") from None
    except ValueError as error:  # of the syntax, of the encoding, of a number with thousands of digits
        raise ConfigError(f"{path}: not a TOML file ({error})") from None
    try:
        config = Config.model_validate(content)
    except ValidationError as error:
        raise ConfigError(f"{path}: {first_line(error)}") from None
    codes = [check.code for check in check_classes()]
    for section, keys in (("checks", config.checks), ("severity", config.severity)):
        for code in keys:
            if code not in codes:
                raise ConfigError(f"{path}: [{section}] {code!r} is no check{suggestion(code, codes)}")
    for check in check_classes():
        try:
            config.configured(check)
        except ConfigError as error:
            raise ConfigError(f"{path}: {error}") from None
    for role in config.roles:
        if role not in ROLES:
            raise ConfigError(f"{path}: [roles] {role!r} is no role{suggestion(role, list(ROLES))}")
    return config


def first_line(error: ValidationError) -> str:
    """The first mistake of a validation, in one line, with a suggestion for a mis-spelt key."""
    mistake = error.errors()[0]
    place = ".".join(str(part) for part in mistake["loc"])
    if mistake["type"] == "extra_forbidden":
        section: Any = Config
        for part in mistake["loc"][:-1]:
            inner = section.model_fields.get(str(part).replace("-", "_")) if hasattr(section, "model_fields") else None
            section = inner.annotation if inner is not None else section
        known = [name.replace("_", "-") for name in section.model_fields] if hasattr(section, "model_fields") else []
        return f"unknown key {place!r}{suggestion(str(mistake['loc'][-1]), known)}"
    return f"{place}: {mistake['msg'][0].lower()}{mistake['msg'][1:]}"
