"""How plug-ins are found: the modules of a package of ours, and what installed packages add by entry points.

A plug-in of ours is found by lying in its package; the package is named by a string, so that what collects plug-ins never
imports them while it is itself imported. A foreign one is an entry point of the group `medaudit.KIND` (`GROUPS`): a module with
the same names as ours where one module is one plug-in, a class where one class is.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType
from typing import Any, TypeVar

from auditor.values.errors import ConfigError

GROUPS: Mapping[str, str] = {
    "medaudit.checks": "classes: one rule each (auditor.check.Check)",
    "medaudit.formats": "modules: one image format each (auditor.format)",
    "medaudit.layouts": "modules: one way a dataset lies on disk each (auditor.layout)",
    "medaudit.features": "modules: one measurement of an image each (auditor.feature)",
    "medaudit.strategies": "classes: one way to correct a dataset each (trainers.strategy.Strategy)",
    "medaudit.tasks": "classes: one kind of task that networks learn each (trainers.values.task.LearningTask)",
    "medaudit.networks": "functions: one network each, called with the task that it shall learn (trainers.engine.own_network)",
    "medaudit.reports": "modules: one format of a report each (reports.format)",
}
"""Entry-point groups, and what their plug-ins are. The name of the entry point is the name of the plug-in."""

Base = TypeVar("Base")


def own_modules(package: str) -> dict[str, ModuleType]:
    """Modules of a package of ours by name, in alphabetical order."""
    return {name: importlib.import_module(f"{package}.{name}") for name in own_names(package)}


def own_names(package: str) -> list[str]:
    """Names of the modules of a package of ours, in alphabetical order; none is imported."""
    path = importlib.import_module(package).__path__
    return sorted(found.name for found in pkgutil.iter_modules(path) if not found.name.startswith("_"))


def plugin_modules(package: str, group: str, *, names: Sequence[str]) -> dict[str, ModuleType]:
    """Plug-ins of a kind whose plug-ins are modules, by name: ours in alphabetical order, then the foreign ones.

    Args:
        package: where ours lie.
        group: one of `GROUPS`.
        names: what every plug-in of the kind must have.

    Raises:
        ConfigError: a foreign one cannot be loaded, lacks a name, or is called as another is.
    """
    found = own_modules(package)
    for point in _points(group):
        module = _load(point)
        missing = [name for name in names if not hasattr(module, name)]
        if missing:
            raise ConfigError(f"{_place(point)} lacks {', '.join(missing)}; see {GROUPS[group]}")
        if not isinstance(module, ModuleType):
            raise ConfigError(f"{_place(point)} is no module; see {GROUPS[group]}")
        if found.setdefault(point.name, module) is not module:
            raise ConfigError(f"{_place(point)}: {found[point.name].__name__} has that name already")
    return found


def plugin_classes(package: str, group: str, base: type[Base]) -> list[type[Base]]:
    """Plug-ins of a kind whose plug-ins are classes: all concrete subclasses of `base` that the modules define.

    Raises:
        ConfigError: a foreign one cannot be loaded or is no such class.
    """
    found = [
        value
        for module in own_modules(package).values()
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, base)
        and not inspect.isabstract(value)
        and value.__module__ == module.__name__
    ]
    for point in _points(group):
        kind = _load(point)
        if not (isinstance(kind, type) and issubclass(kind, base) and not inspect.isabstract(kind)):
            raise ConfigError(f"{_place(point)} is no usable {base.__name__}; see {GROUPS[group]}")
        if kind not in found:
            found.append(kind)
    return found


def plugin_functions(group: str) -> dict[str, Callable[..., Any]]:
    """Plug-ins of a kind whose plug-ins are functions, by name; all of them are foreign.

    Raises:
        ConfigError: one cannot be loaded or is no function.
    """
    found: dict[str, Callable[..., Any]] = {}
    for point in _points(group):
        made = _load(point)
        if not callable(made):
            raise ConfigError(f"{_place(point)} cannot be called; see {GROUPS[group]}")
        if found.setdefault(point.name, made) is not made:
            raise ConfigError(f"{_place(point)}: another plug-in has that name already")
    return found


def _points(group: str) -> list[EntryPoint]:
    assert group in GROUPS, group
    return sorted(entry_points(group=group), key=lambda point: (point.name, point.value))


def _load(point: EntryPoint) -> object:
    try:
        loaded: object = point.load()
    except Exception as error:
        raise ConfigError(f"{_place(point)} cannot be loaded ({type(error).__name__}: {error}); mend or remove it") from error
    return loaded


def _place(point: EntryPoint) -> str:
    package = f" of the installed package {point.dist.name}" if point.dist is not None else ""
    return f"the plug-in {point.name} = {point.value} ({point.group}){package}"
