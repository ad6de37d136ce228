"""The choice of an interrupted run: taken up as it was made, or one clear line."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from auditor.sealed import seal
from auditor.values.errors import ConfigError
from trainers.grading.choice import PURPOSE, Choice, kept

ARMS = ("off", "strong")
MADE = Choice(chosen="strong", reason="it gains", networks=2, gains={"off": 0.0, "strong": 0.1}, errors={"strong": 0.01})


def never() -> Choice:
    raise AssertionError("what lies there is taken up")


def test_a_choice_is_made_once(tmp_path: Path) -> None:
    place = tmp_path / "augment" / "choice.json"
    assert kept(place, ARMS, lambda: MADE) == MADE
    assert kept(place, ARMS, never) == MADE


GOOD: dict[str, Any] = {"chosen": "strong", "reason": "", "networks": 2, "gains": {"strong": 0.1}, "errors": {"strong": 0.1}}
WRONG: dict[str, bytes] = {
    "nothing": b"",
    "no JSON": b"{",
    "a list": b"[]",
    "null": b"null",
    "a number": b"3",
    "deep": b"[" * 100_000,
    "not UTF-8": b"\xff\xfe",
    **{
        name: json.dumps({**GOOD, **change}).encode()
        for name, change in {
            "no arm of it": {"chosen": "weak"},
            "no text": {"chosen": 3},
            "a reason that is a list": {"reason": ["a"]},
            "networks below nought": {"networks": -1},
            "networks a text": {"networks": "many"},
            "networks of a hundred digits": {"networks": 10**100},
            "gains of others": {"gains": {"weak": 0.1}},
            "gains a list": {"gains": [0.1]},
            "a gain that is no number": {"gains": {"strong": float("nan")}},
            "an error without end": {"errors": {"strong": float("inf")}},
            "an error that is a text": {"errors": {"strong": "small"}},
            "gains of a million": {"gains": {str(number): 0.0 for number in range(100_000)}},
        }.items()
    },
    "no reason": json.dumps({key: value for key, value in GOOD.items() if key != "reason"}).encode(),
}


@pytest.mark.parametrize("content", WRONG.values(), ids=WRONG)
def test_what_is_no_choice_is_one_clear_line(tmp_path: Path, content: bytes) -> None:
    place = tmp_path / "choice.json"
    place.write_bytes(seal(PURPOSE, content))
    with pytest.raises(
        ConfigError, match=r"choice\.json: the choice .* is damaged \(.*\); delete it to choose anew"
    ) as refused:
        kept(place, ARMS, never)
    assert "\n" not in str(refused.value)


def test_a_choice_that_somebody_else_made_is_not_taken_up(tmp_path: Path) -> None:
    place = tmp_path / "choice.json"
    place.write_bytes(json.dumps(GOOD).encode())
    with pytest.raises(ConfigError, match="not as your medaudit wrote it"):
        kept(place, ARMS, never)


def test_a_gain_that_cannot_be_measured_is_left_out_and_the_run_goes_on(tmp_path: Path) -> None:
    place = tmp_path / "choice.json"
    made = Choice(
        chosen="off", reason="no score", networks=1, gains={"off": 0.0, "strong": math.nan}, errors={"strong": math.inf}
    )
    first = kept(place, ARMS, lambda: made)
    assert (first.gains, first.errors) == ({"off": 0.0}, {})
    assert kept(place, ARMS, never) == first
