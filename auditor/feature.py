"""What a feature is: a measurement of one image, taken in the one pass. One module per measurement in `auditor.features`.

A feature module has three names:

* `COLUMNS: tuple[str, ...]`: names of the numbers it gives (stored as `<module>.<column>`);
* `VERSION: int`: part of the cache key; raise it when the numbers change;
* `measure(view: View) -> npt.NDArray[np.float32]`: shape (len(COLUMNS),), NaN where it does not apply.
"""

from __future__ import annotations

from collections.abc import Mapping
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
def feature_columns() -> tuple[str, ...]:
    """Names of all feature columns, in the order of `measure_all`."""
    return tuple(f"{name}.{column}" for name, module in sorted(features().items()) for column in module.COLUMNS)


@cache
def feature_version() -> str:
    """Changes when any feature changes."""
    return ",".join(f"{name}:{module.VERSION}" for name, module in sorted(features().items()))


def measure_all(view: View) -> npt.NDArray[np.float32]:
    """Every feature of one image; shape (len(feature_columns()),)."""
    parts = [np.asarray(module.measure(view), dtype=np.float32) for _, module in sorted(features().items())]
    return np.concatenate(parts) if parts else np.empty(0, np.float32)
