"""The summary for a step or a pull request: verdict first, escaped, cut where GitHub would cut it."""

from dataclasses import replace

import pytest
from markdown_it import MarkdownIt

from auditor.values.results import Finding, Gate, Location, Severity
from reports.format import parse_output
from reports.formats import markdown


def text_of(result):
    (content,) = markdown.render(result, "s.md").values()
    return content.decode()


def with_findings(result, findings):
    first = result.outcomes[0]
    return replace(result, outcomes=(replace(first, verdict=replace(first.verdict, findings=tuple(findings))),))


@pytest.mark.parametrize("text", [
    "<script>alert(1)</script>", "[x](http://evil)", "![x](http://evil/p.png)", "a|b|c", "**bold** _it_ `code`", "# head",
    "https://evil.example", "www.evil.example", "@someone #12", "x\n\n# y", "$a$", "~~gone~~", "back\\slash", "&amp;",
])  # fmt: skip
def test_a_text_of_the_data_stays_text(small_result, text):
    finding = Finding(code="IN001", severity=Severity.ERROR, message=f"start {text} end", where=Location(path=text))
    plain = with_findings(small_result, [replace(finding, message="start end", where=Location())])
    parser = MarkdownIt("gfm-like", {"linkify": False}).disable("linkify")

    def kinds(result):
        tokens = parser.parse(text_of(result))
        return [(t.type, [(c.type, c.attrs) for c in t.children or () if c.type not in ("text", "text_special", "html_inline")])
                for t in tokens]  # fmt: skip

    assert kinds(with_findings(small_result, [finding])) == kinds(plain)
    row = next(
        line for line in text_of(with_findings(small_result, [finding])).splitlines() if "start" in line and line[0] == "|"
    )
    assert "<" not in row
    assert "@" not in row
    assert "://" not in row
    assert "www." not in row


@pytest.mark.parametrize("verdict", ["failed", "passed", "incomplete", "not enough seen"])
def test_the_verdict_stands_first_in_words(small_result, verdict):
    result = replace(small_result, gate=Gate(verdict=verdict, exit_code=0, fail_on="error"))
    first = text_of(result).splitlines()[0]
    assert verdict.upper() in first
    assert ("✅" in first) == (verdict == "passed")


def test_every_check_has_a_row_and_every_cause_its_command(small_result):
    text = text_of(small_result)
    assert all(f"| {o.code} " in text for o in small_result.outcomes)
    assert "medaudit fix chest-xray-pneumonia --strategy harmonise" in text


def test_it_ends_before_the_limit_and_counts_what_is_left_out(small_result):
    many = [
        Finding(code="IQ003", severity=Severity.WARNING, message="long " * 30, subject=str(n), where=Location(path=f"{n}.png"))
        for n in range(20_000)
    ]
    text = text_of(with_findings(small_result, many))
    assert len(text.encode()) <= markdown.MOST_BYTES
    assert "of 20,000 findings are listed" in text.splitlines()[-1]


def test_the_suffix_names_the_format():
    assert parse_output("summary.md")[0] == "markdown"
