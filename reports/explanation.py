"""The documentation of a check as safe HTML: the small markdown of docstrings, everything else escaped.

Headings, paragraphs, lists, fenced code, pipe tables; inline code, **bold**, *emphasis* and https links. No raw HTML.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from markupsafe import Markup, escape

from auditor.values.cells import visible

_INLINE = re.compile(
    r"`(?P<code>[^`]+)`|\*\*(?P<bold>[^*]+)\*\*|(?<![\w*])\*(?P<emphasis>[^*\s][^*]*)\*(?!\w)"
    r"|\[(?P<words>[^\]]+)\]\((?P<link>https://[^\s()<>\"]+)\)"
)
_ITEM = re.compile(r"(?:[-*]|\d+[.)])\s+(.*)")


def sections(documentation: str) -> dict[str, Markup]:
    """The `## ` sections by heading, as HTML; the title line (and what follows it) is under the empty heading."""
    found: dict[str, list[str]] = {"": []}
    heading = ""
    fenced = False
    for line in documentation.splitlines():
        fenced ^= line.startswith("```")
        if line.startswith("## ") and not fenced:
            heading = visible(line[3:].strip())
            found.setdefault(heading, [])
        else:
            found[heading].append(line)
    found[""] = found[""][1:]
    return {heading: html for heading, lines in found.items() if (html := Markup("\n").join(_blocks(lines)))}


def _blocks(lines: list[str]) -> Iterator[Markup]:
    rest = [line.rstrip() for line in lines]
    while rest:
        line = rest[0]
        if not line:
            rest.pop(0)
        elif line.startswith("```"):
            end = next((k for k, other in enumerate(rest[1:], 1) if other.startswith("```")), len(rest))
            yield Markup("<pre><code>{}</code></pre>").format("\n".join(visible(code) for code in rest[1:end]))
            rest = rest[end + 1 :]
        elif line.lstrip().startswith("|"):
            rows = _take(rest, lambda other: other.lstrip().startswith("|"))
            yield _table(rows)
        elif _ITEM.match(line.lstrip()):
            yield _list(_take(rest, bool))
        else:
            paragraph = [
                rest.pop(0),
                *_take(rest, lambda other: bool(other) and not other.startswith("```") and not _ITEM.match(other)),
            ]
            yield Markup("<p>{}</p>").format(_inline(" ".join(part.strip() for part in paragraph)))


def _take(rest: list[str], belongs: object) -> list[str]:
    """Remove and return the first lines for which `belongs` is true."""
    assert callable(belongs)
    taken: list[str] = []
    while rest and belongs(rest[0]):
        taken.append(rest.pop(0))
    return taken


def _list(lines: list[str]) -> Markup:
    items: list[str] = []
    for line in lines:
        item = _ITEM.match(line.lstrip())
        if item:
            items.append(item[1])
        else:
            items[-1] += " " + line.strip()
    body = Markup("").join(Markup("<li>{}</li>").format(_inline(item)) for item in items)
    numbered = lines[0].lstrip()[0].isdigit()
    return Markup("<ol>{}</ol>").format(body) if numbered else Markup("<ul>{}</ul>").format(body)


def _table(lines: list[str]) -> Markup:
    rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines]
    body = [row for row in rows[1:] if not all(re.fullmatch(r":?-+:?", cell) for cell in row)]
    head = Markup("").join(Markup('<th scope="col">{}</th>').format(_inline(cell)) for cell in rows[0])
    cells = Markup("").join(
        Markup("<tr>{}</tr>").format(Markup("").join(Markup("<td>{}</td>").format(_inline(cell)) for cell in row))
        for row in body
    )
    return Markup("<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>").format(head, cells)


def _inline(text: str) -> Markup:
    parts: list[Markup] = []
    end = 0
    for found in _INLINE.finditer(text := visible(text)):
        parts.append(escape(text[end : found.start()]))
        end = found.end()
        if found["code"]:
            parts.append(Markup("<code>{}</code>").format(found["code"]))
        elif found["bold"]:
            parts.append(Markup("<strong>{}</strong>").format(found["bold"]))
        elif found["emphasis"]:
            parts.append(Markup("<em>{}</em>").format(found["emphasis"]))
        else:
            parts.append(Markup('<a href="{}" rel="noreferrer noopener">{}</a>').format(found["link"], found["words"]))
    return Markup("").join([*parts, escape(text[end:])])
