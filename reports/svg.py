"""The pieces of a chart as SVG: text, lines, boxes, marks, legends, axes. Every text is escaped; colours are CSS classes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from markupsafe import Markup

from reports.axis import Axis, tick
from reports.cell import shortened

WIDTH = 720
_MARKS = ("M-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0", "M-4-4h8v8h-8z", "M0-5.5L5.5 0L0 5.5L-5.5 0z", "M0-5L5 4H-5z", "M0 5L5-4H-5z")


def pixel(place: float) -> str:
    """A coordinate with one decimal at most."""
    return f"{place:.1f}".removesuffix(".0")


def text(x: float, y: float, words: str, *, kind: str = "", anchor: str = "start", turn: float = 0) -> Markup:
    """Words at a place; `anchor` is start, middle or end; `turn` in degrees."""
    rotation = Markup(' transform="rotate({} {} {})"').format(pixel(turn), pixel(x), pixel(y)) if turn else ""
    return Markup('<text x="{}" y="{}" text-anchor="{}" class="{}"{}>{}</text>').format(
        pixel(x), pixel(y), anchor, kind, rotation, words
    )


def line(x1: float, y1: float, x2: float, y2: float, kind: str) -> Markup:
    """A straight line."""
    return Markup('<line x1="{}" y1="{}" x2="{}" y2="{}" class="{}"/>').format(pixel(x1), pixel(y1), pixel(x2), pixel(y2), kind)


def box(x: float, y: float, width: float, height: float, kind: str, hover: str = "") -> Markup:
    """A rectangle; `hover` is shown when the pointer rests on it."""
    shape = Markup('<rect x="{}" y="{}" width="{}" height="{}" class="{}"').format(
        pixel(x), pixel(y), pixel(max(width, 0.0)), pixel(max(height, 0.0)), kind
    )
    return shape + (Markup("><title>{}</title></rect>").format(hover) if hover else Markup("/>"))


def mark(x: float, y: float, series: int, hover: str = "") -> Markup:
    """Circle, square, diamond, triangle…: series differ in shape as well as in colour."""
    title = Markup("<title>{}</title>").format(hover) if hover else Markup("")
    return Markup('<path d="{}" transform="translate({} {})" class="s{} mark">{}</path>').format(
        _MARKS[series % len(_MARKS)], pixel(x), pixel(y), series, title
    )


def path(points: Iterable[tuple[float, float]], series: int, *, closed: bool = False) -> Markup:
    """A line through the points, or the band that they enclose."""
    places = " ".join(f"{pixel(x)},{pixel(y)}" for x, y in points)
    if closed:
        return Markup('<polygon points="{}" class="s{} band"/>').format(places, series)
    return Markup('<polyline points="{}" class="s{} line"/>').format(places, series)


def joined(parts: Iterable[Markup]) -> Markup:
    """The pieces one after the other: later ones lie on top."""
    return Markup("").join(parts)


def legend(series: Mapping[str, int], *, marks: bool) -> tuple[float, Markup]:
    """(height, picture) of the names of the series, at the top; nothing for a single unnamed one."""
    if list(series) == [""]:
        return 0.0, Markup("")
    x, y = 4.0, 12.0
    parts: list[Markup] = []
    for group, number in series.items():
        name = shortened(group, 28)
        width = 38 + 7.6 * len(name)
        if x + width > WIDTH and x > 4:
            x, y = 4.0, y + 20
        parts += [mark(x + 6, y, number) if marks else box(x, y - 6, 12, 12, f"s{number}"), text(x + 18, y + 4, name)]
        x += width
    return y + 14, joined(parts)


def references(
    captions: Mapping[str, float], scale: Axis, top: float, bottom: float, width: float = WIDTH
) -> tuple[float, Markup]:
    """(height, picture) of vertical reference lines; captions begin at `top`, on several levels where they would overlap."""
    ends: list[float] = []
    parts: list[Markup] = []
    for caption, value in sorted(captions.items(), key=lambda item: item[1]):
        words = shortened(caption, 40)
        x, half = scale.place(value), 3.6 * len(words) + 4
        centre = min(max(x, half), width - half)
        level = next((k for k, end in enumerate(ends) if end < centre - half), len(ends))
        ends[level : level + 1] = [centre + half]
        y = top + 12 + 16 * level
        kind = "axis" if value == 0 else "gate"
        parts += [line(x, y + 4, x, bottom, kind), text(centre, y, words, kind="caption", anchor="middle")]
    return 16.0 * len(ends) + (6 if ends else 0), joined(parts)


def levels(captions: Mapping[str, float], scale: Axis, left: float) -> Markup:
    """Horizontal reference lines with their captions, for charts whose values go upwards."""
    parts: list[Markup] = []
    for caption, value in captions.items():
        y = scale.place(value)
        parts.append(line(left, y, WIDTH - 8, y, "gate"))
        parts.append(text(WIDTH - 10, y - 5, shortened(caption, 40), kind="caption", anchor="end"))
    return joined(parts)


def value_axis(scale: Axis, top: float, bottom: float) -> Markup:
    """A horizontal axis: grid lines and numbers below."""
    parts = [line(scale.place(t), top, scale.place(t), bottom, "grid") for t in scale.ticks]
    return joined([*parts, *(text(scale.place(t), bottom + 18, tick(t), kind="tick", anchor="middle") for t in scale.ticks)])


def height_axis(scale: Axis, left: float) -> Markup:
    """A vertical axis: grid lines to the right edge and numbers on the left."""
    parts = [line(left, scale.place(t), WIDTH - 8, scale.place(t), "grid") for t in scale.ticks]
    return joined([*parts, *(text(left - 8, scale.place(t) + 4, tick(t), kind="tick", anchor="end") for t in scale.ticks)])


def margin(labels: Iterable[str], longest: int = 26) -> float:
    """Room for the labels at the left, each shortened to `longest` characters."""
    return 20 + 8 * max(len(shortened(label, longest)) for label in labels)
