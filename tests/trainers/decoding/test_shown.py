import pytest

from trainers.decoding.shown import sizes_told


@pytest.mark.parametrize(
    ("stored", "shown", "words"),
    [
        (
            (480, 640),
            (48, 64),
            "shrunk to 48 × 64 pixels, 0.01 of the 480 × 640 pixels that are stored: what is smaller",
        ),
        ((28, 28), (28, 28), "see the pictures at 28 × 28 pixels; stored they have 28 × 28"),
        ((120, 512, 512), (15, 64, 64), "shrunk to 15 × 64 × 64 pixels, 0.002 of"),
        ((120, 512, 512), (64, 64), "shrunk to 64 × 64 pixels, 0.016 of the 512 × 512"),
    ],
)
def test_what_is_lost_is_said(stored: tuple[int, ...], shown: tuple[int, ...], words: str) -> None:
    assert words in sizes_told(stored, shown)
