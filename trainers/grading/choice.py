"""What a strategy chose on the validation records: kept beside its checkpoints, so that a run that goes on chooses the same."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from auditor.files import write_files
from auditor.sealed import seal, unsealed
from auditor.stored import checked, values_of
from auditor.values.errors import ConfigError

PURPOSE = "choice"
MOST_BYTES = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Choice:
    """One of several arms.

    Args:
        chosen: its name; `reason` says why, in words.
        networks: of each arm that were compared; 0: there was no time for any.
        gains, errors: of each arm over the first, and their standard errors; an arm whose gain cannot be measured has none.
    """

    chosen: str
    reason: str
    networks: int
    gains: Mapping[str, float] = field(default_factory=dict)
    errors: Mapping[str, float] = field(default_factory=dict)


def kept(place: Path, arms: Sequence[str], make: Callable[[], Choice]) -> Choice:
    """The choice that lies at `place`; made and written there where there is none.

    Raises:
        ConfigError: what lies there is no choice among these arms, or none that this user's medaudit wrote.
        MedauditError: it cannot be written.
    """
    if not place.is_file():
        made = make()
        # JSON knows no NaN: what could not be measured is left out, for this run as for one that goes on
        choice = replace(made, gains=measured(made.gains), errors=measured(made.errors))
        write_files({place: seal(PURPOSE, json.dumps(asdict(choice)).encode())})
        return choice
    try:
        found = checked(Choice, values_of(unsealed(PURPOSE, place, most_bytes=MOST_BYTES)))
        numbers = (*found.gains.values(), *found.errors.values())
        if not {found.chosen, *found.gains, *found.errors} <= set(arms) or found.networks < 0:
            raise ValueError("it names no arm of this strategy")
        if not all(map(math.isfinite, numbers)):
            raise ValueError("a gain is no number")
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise ConfigError(f"{place}: the choice of an interrupted run is damaged ({why}); delete it to choose anew") from None
    return found


def measured(values: Mapping[str, float]) -> dict[str, float]:
    """Those that are numbers."""
    return {name: float(value) for name, value in values.items() if math.isfinite(value)}
