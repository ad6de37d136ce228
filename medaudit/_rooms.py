"""Makes sure that `auditor`, `trainers` and `reports` are ours and not a folder that happens to be called so."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path


def require_own_rooms() -> None:
    """Fail clearly when another package shadows one of ours.

    Raises:
        ImportError: e.g. a folder `trainers/` in the working directory stands before ours on the path.
    """
    home = Path(__file__).resolve().parent.parent
    for name in ("auditor", "trainers", "reports"):
        spec = find_spec(name)
        places = [] if spec is None else [*(spec.submodule_search_locations or []), *([spec.origin] if spec.origin else [])]
        if not any(Path(place).resolve().is_relative_to(home) for place in places):
            where = places[0] if places else "nowhere"
            raise ImportError(
                f"medaudit needs its own package {name!r}, but Python finds {where}; "
                f"rename that folder or start from another working directory"
            )
