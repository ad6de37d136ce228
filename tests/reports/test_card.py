from dataclasses import replace
from html.parser import HTMLParser

from comparisons import improved

from reports.card import ROWS, comparison_card, pending_card, scan_card, scan_line


def tags_of(card: str) -> set[str]:
    found: set[str] = set()

    class Seen(HTMLParser):
        def handle_starttag(self, tag, attrs):
            found.update({tag, *(name for name, _ in attrs)})

    Seen().feed(card)
    return found


KNOWN = {"div", "class", "p", "strong", "ul", "li", "table", "tbody", "tr", "td", "style"}


def test_a_card_says_the_verdict_the_counts_and_the_gravest_findings(small_result):
    card = scan_card(small_result)
    assert "<strong>FAILED</strong>" in card
    assert all(reason in card for reason in small_result.gate.reasons)
    assert small_result.findings[0].message in card
    assert "not evaluated" in card
    assert small_result.dataset.name in scan_line(small_result)


def test_hostile_names_stay_text_and_the_card_stays_small(hostile_result):
    card = scan_card(hostile_result)
    assert tags_of(card) <= KNOWN
    assert card.count("<tr>") == min(ROWS, sum(f.waived is None for f in hostile_result.findings))
    assert len(card) < 20_000
    card.encode("utf-8")
    scan_line(hostile_result).encode("utf-8")


def test_a_comparison_and_a_look_have_cards_too():
    comparison = replace(improved(), dataset="<b>set</b>")
    assert "IMPROVED" in comparison_card(comparison)
    assert tags_of(comparison_card(comparison)) <= KNOWN
    assert tags_of(pending_card("<img src=x>", 3, ["<script>"])) <= KNOWN


def test_no_picture_and_no_thumbnail_is_on_a_card(small_result):
    assert small_result.thumbnails
    assert "data:" not in scan_card(small_result)
