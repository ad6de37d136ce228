"""The HTML report: offline, escaped, bounded."""

import base64
import hashlib
import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from html_page import Page

import reports
from auditor.values.results import Column, Finding, Gate, Location, Outcome, Severity, Table, Verdict
from reports.formats.html import MAX_BYTES, render


def html(result):
    return render(result, "report.html")["report.html"].decode("utf-8")


@pytest.fixture(scope="module")
def source(hostile_result):
    return html(hostile_result)


@pytest.fixture(scope="module")
def page(source):
    return Page(source)


ALLOWED = """
html head meta title link style body a header nav main section article footer p h1 h2 h3 h4 h5 dl dt dd div span b bdi
ol ul li table caption thead tbody tr th td details summary figure figcaption img pre code strong em
svg path circle line rect text polyline polygon desc
"""


def test_no_value_becomes_markup(page, source):
    allowed = re.findall(r"\w+", ALLOWED)
    assert {tag for tag, _ in page.tags} <= set(allowed)
    assert page.problems == []
    assert page.open == []
    assert not any(key.startswith("on") or key == "style" for _, attributes in page.tags for key in attributes)
    assert source.count("<svg ") == source.count("</svg>")


def test_hostile_names_are_shown_as_they_are(page):
    for words in ("<script>alert(1)</script>.png", "=cmd|' /C calc'!A0", "two\\nlines.png", "exam\\u202egpj.exe", "{{ 7*7 }}"):
        assert words in page.text
    assert "\"><img src=x onerror=alert(1)>' .png" in page.text


def test_a_print_begins_with_what_was_looked_at(small_result):
    text = Page(html(small_result)).text
    begin = text.index("What was looked at")
    assert text.index("Do th") < begin < text.index("How the dataset was read")
    summary = text[begin : text.index("How the dataset was read")]
    assert f"{small_result.records:,} records" in summary
    unevaluated = [outcome.code for outcome in small_result.outcomes if outcome.status == "skipped"]
    assert all(code in summary for code in unevaluated)


def test_no_character_deceives(source):
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200b-\u200f]", source)


def test_nothing_is_loaded_from_elsewhere(page, source):
    for tag, attributes in page.tags:
        assert "src" not in attributes or attributes["src"].startswith("data:image/webp;base64,")
        if tag == "link":
            assert attributes == {"rel": "icon", "href": "data:,"}
        if tag == "a":
            assert attributes["href"].startswith(("#", "https://doi.org/"))
    assert "url(" not in source
    assert "@import" not in source


def test_the_policy_allows_this_style_and_no_script(page, source):
    policy = next(a["content"] for tag, a in page.tags if tag == "meta" and "http-equiv" in a)
    style = re.search(r"<style>(.*?)</style>", source, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"


def test_ids_are_unique_and_every_link_inside_the_page_has_a_target(page):
    ids = [a["id"] for _, a in page.tags if "id" in a]
    assert len(ids) == len(set(ids))
    assert {a["href"][1:] for tag, a in page.tags if tag == "a" and a["href"].startswith("#")} <= set(ids)


def test_the_first_words_are_the_verdict_and_why(page):
    assert page.text.index("INCOMPLETE", page.text.index("Skip")) < page.text.index("Do these first")
    told = "LK002 crashed, so the audit is incomplete. The class can be told from the bits stored and 1 more field."
    assert told in page.text
    assert page.levels[0] == 1
    assert all(b <= a + 1 for a, b in pairwise(page.levels))


@pytest.mark.parametrize(
    ("verdict", "word"),
    [("passed", "PASSED"), ("failed", "FAILED"), ("incomplete", "INCOMPLETE"), ("not enough seen", "NOT ENOUGH SEEN")],
)
def test_each_verdict_is_a_word(small_result, verdict, word):
    text = Page(html(replace(small_result, gate=Gate(verdict=verdict, exit_code=0, fail_on="error")))).text
    assert f"{word}: audit of chest-xray-pneumonia" in text


def test_a_long_table_shows_a_thousand_rows_and_says_so(page, source):
    assert "The first 1,000 of 5,000 rows; all are in result.json and the Parquet files beside it." in page.text
    assert len(re.findall(r"<tr", source)) < 1500


def test_pictures_are_bounded_and_named(page):
    pictures = [a for tag, a in page.tags if tag == "img"]
    assert 40 < len(pictures) <= 200
    assert all(
        a["alt"].startswith("Picture of record ") and a["width"] and a["height"] and a["loading"] == "lazy" for a in pictures
    )


def test_what_was_not_evaluated_and_what_passed_are_both_told(page):
    rest = page.text[page.text.index("Not evaluated 3 checks") :]
    assert "ValueError in the model of 14 fields" in rest
    assert "No table with more than one rater" in rest
    assert "Looked for: A listed file is missing" in rest
    assert "one shared patient would have been seen" in rest


def test_documentation_explains_the_finding(page):
    assert "Why is this bad? A model will learn the shortcut" in page.text
    assert "How to fix Convert every image" in page.text


def test_a_giant_result_stays_under_the_limit_and_says_what_it_leaves_out(small_result):
    findings = tuple(
        Finding(
            code="LN002",
            severity=Severity.WARNING,
            message=f"Record {k} " + "<&\"'" * 300,
            where=Location(record=str(k)),
            evidence={"text": "x" * 400},
        )
        for k in range(2000)
    )
    table = Table(name="t", title="T", columns=(Column(name="record", kind="record", values=[str(k) for k in range(2000)]),))
    outcomes = tuple(
        Outcome(
            code=f"LN{n:03}",
            name="n",
            title="t",
            status="failed",
            verdict=Verdict(summary="s", findings=findings, tables=(table,)),
        )
        for n in range(3)
    )
    source = html(replace(small_result, outcomes=outcomes, thumbnails={str(k): b"x" * 3000 for k in range(2000)}))
    assert len(source.encode()) <= MAX_BYTES
    assert re.search(r"The first \d+ of 2,000 rows", source)
    assert re.search(r"The first \d+ of 2,000 findings", source)
    assert source.count("<img ") <= 200


def luminance(colour):
    parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a, b):
    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_colours_that_axe_cannot_see_have_enough_contrast(mode):
    css = (Path(reports.__file__).parent / "assets" / "report.css").read_text()
    blocks = re.findall(r":root \{(.*?)\}", css, re.DOTALL)
    names = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", blocks[("light", "dark").index(mode)]))
    for level in range(8):
        words = names["t-low" if level < 5 else "t-high"]
        assert contrast(names[f"q{level}"], words) >= 4.5, level
    for text in ("ink", "soft"):
        assert contrast(names[text], names["card"]) >= 4.5
        assert contrast(names[text], names["zebra"]) >= 4.5
    for series in range(6):
        assert contrast(names[f"s{series}"], names["card"]) >= 3  # WCAG 1.4.11
