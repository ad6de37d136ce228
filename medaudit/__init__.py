"""medaudit: audits medical-imaging datasets before they are released or trained on, and repairs what it finds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = ["__version__", "open_dataset", "scan"]

if TYPE_CHECKING:
    from auditor.layout import open_dataset
    from auditor.scan import scan


def __getattr__(name: str) -> Any:
    """Import the public API when it is first used, so that `medaudit --help` stays quick."""
    if name not in ("scan", "open_dataset"):
        raise AttributeError(f"module 'medaudit' has no attribute {name!r}")
    from medaudit._rooms import require_own_rooms

    require_own_rooms()
    import auditor.layout
    import auditor.scan

    return auditor.scan.scan if name == "scan" else auditor.layout.open_dataset
