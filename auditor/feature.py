"""What a feature is: a measurement of one image, taken in the one pass. One module per measurement in `auditor.features`.

A feature module has three names:

* `COLUMNS: tuple[str, ...]`: names of the numbers it gives (stored as `<module>.<column>`);
* `VERSION: int`: part of the cache key; raise it when the numbers change;
* `measure(view: View) -> npt.NDArray[np.float32]`: shape (len(COLUMNS),), NaN where it does not apply.

One with `ON_DEMAND = True` is measured only where it is asked for by name: it costs too much to be part of "all".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from types import ModuleType

import numpy as np
import numpy.typing as npt

from auditor.plugins import plugin_modules
from auditor.view import View


@cache
def features() -> Mapping[str, ModuleType]:
    """All feature modules by name, ours and those of installed plug-ins (entry points `medaudit.features`)."""
    return plugin_modules("auditor.features", "medaudit.features", names=("COLUMNS", "VERSION", "measure"))


@cache
def feature_needs(*names: str) -> frozenset[str]:
    """How checks and stages ask for feature modules (see `auditor.check.Need`)."""
    return frozenset(f"features.{name}" for name in names)


@cache
def usual_features() -> frozenset[str]:
    """Names of those that are measured where all are."""
    return frozenset(name for name, module in features().items() if not getattr(module, "ON_DEMAND", False))


@cache
def chosen_features(names: frozenset[str] | None = None) -> Mapping[str, ModuleType]:
    """Those of these names in alphabetical order; None = all usual ones."""
    wanted = usual_features() if names is None else names
    return {name: module for name, module in sorted(features().items()) if name in wanted}


@cache
def feature_columns(names: frozenset[str] | None = None) -> tuple[str, ...]:
    """Names of the feature columns, in the order of `measure_all`."""
    return tuple(f"{name}.{column}" for name, module in chosen_features(names).items() for column in module.COLUMNS)


@cache
def feature_version(names: frozenset[str] | None = None) -> str:
    """Changes when one of the features changes."""
    return ",".join(f"{name}:{module.VERSION}" for name, module in chosen_features(names).items())


def measure_all(view: View, names: frozenset[str] | None = None) -> npt.NDArray[np.float32]:
    """The features of one image; shape (len(feature_columns(names)),)."""
    return measure_each([view], names)[0]


def measure_each(views: Sequence[View], names: frozenset[str] | None = None) -> list[npt.NDArray[np.float32]]:
    """The features of several images, each as by `measure_all`."""
    parts = [[np.asarray(module.measure(v), dtype=np.float32) for v in views] for module in chosen_features(names).values()]
    return [np.concatenate(own) for own in zip(*parts, strict=True)] if parts else [np.empty(0, np.float32) for _ in views]
