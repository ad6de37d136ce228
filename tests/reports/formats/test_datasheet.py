"""The datasheet: a heading for each section, filled from the audit or marked open, never guessed."""

from reports.formats import datasheet


def test_every_section_is_there_and_asks_people_for_what_no_audit_knows(small_result):
    text = datasheet.render(small_result, "d.md")["d.md"].decode()
    for title, _, asked in datasheet.SECTIONS:
        section = text.split(f"## {title}\n")[1].split("\n## ")[0]
        assert section.count(datasheet.OPEN) == len(asked)


def test_sections_hold_the_findings_of_their_checks(small_result):
    text = datasheet.render(small_result, "d.md")["d.md"].decode()
    bias = text.split("## Bias and shortcuts\n")[1].split("\n## ")[0]
    assert "LK001, error" in bias
    readers = text.split("## Reference labels and readers\n")[1].split("\n## ")[0]
    assert "Not evaluated: ED001" in readers
    assert "5,856 records" in text.split("## Composition\n")[1]


def test_hostile_names_stay_text(hostile_result):
    text = datasheet.render(hostile_result, "d.md")["d.md"].decode()
    assert "<script>" not in text
    assert "\u202e" not in text
