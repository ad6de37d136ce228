"""Had a network that is borrowed seen what it is to be judged by? Its training data are looked for in the evaluation part."""

from __future__ import annotations

from pathlib import Path

from auditor.stages.known import look_up, read_key
from auditor.values.errors import ConfigError
from trainers.strategy import Case, NotApplicable

UNCHECKED = (
    "whether the borrowed network had seen the evaluation records was not checked; give --teacher-data and --key, which "
    "`medaudit fingerprint` writes of its training data"
)


def check_unseen(case: Case) -> bool:
    """False when the user names no training data of the borrowed network (option `teacher-data`), so nothing could be checked.

    Raises:
        NotApplicable: evaluation or validation records are in those training data: the comparison would flatter.
        ConfigError: there is no key, or a file is not what it should be.
    """
    hashes, key = case.options.get("teacher-data"), case.options.get("key")
    if hashes is None:
        return False
    if key is None:
        raise ConfigError("--teacher-data: give the key it was made with as --key FILE")
    (known,) = look_up(case.dataset, [Path(hashes)], read_key(Path(key)))
    held = case.trust.evaluation | case.trust.validation
    seen = known.evidence.notna().to_numpy() & held
    if seen.any():
        raise NotApplicable(
            f"{int(seen.sum()):,} of {int(held.sum()):,} records that evaluate or validate are, or look like, training data of "
            "the borrowed network: it would be judged by what it has seen; name others with --evaluate"
        )
    return True
