"""The page before and after: the verdict first, whichever it is; offline, escaped, bounded."""

import base64
import hashlib
import re
from dataclasses import replace
from itertools import pairwise

import pytest
from comparisons import NOISE, corrections, finding, harmed, improved, no_change, scanned, two_scans
from html_page import Page

from auditor.values.corrections import Correction, Proposal
from auditor.values.results import Severity
from reports.compare import compare_results
from reports.formats.html import MAX_BYTES, render_comparison
from trainers.grading.evaluation_tables import spent_table
from trainers.values.effort import Spent

MAKERS = {"improved": improved, "harmed": harmed, "no change": no_change, "two scans": two_scans}


def html(comparison):
    return render_comparison(comparison, "comparison.html")["comparison.html"].decode("utf-8")


def first_screen(page):
    """The words of the verdict's section."""
    return page.text[page.text.index("Before and after:") : page.text.index("Findings of the two scans")]


def hostile(names):
    """Names that break reports wherever a name can stand."""
    comparison = improved()
    arm = comparison.arms[1]
    wrong = tuple(
        Correction(record=n, field=n, old=n, new=n, code="LN002", strategy=n, reason=n, confidence=0.5, safe=True)
        for n in names
    )
    proposal = Proposal(
        strategy=names[0], summary=names[0], corrections=wrong, removed=dict.fromkeys(names, names[0]),
        weights=dict.fromkeys(names, 0.5), notes=names,
    )  # fmt: skip
    broken = replace(arm, strategy=names[0], title=names[1], why=names[2], proposal=proposal)
    skipped = replace(arm, strategy=names[3], proposal=None, evaluation=None, skipped=names[3])
    return replace(
        comparison, dataset=names[0], summary=names[1], arms=(broken, skipped), applied=(names[0],), chosen=names[0],
        trust=names[2], introduced=tuple(finding("IQ001", Severity.ERROR, n, n) for n in names), notes=names,
        changes=dict.fromkeys(names, 1), configuration={n: n for n in names},
    )  # fmt: skip


@pytest.mark.parametrize("kind", MAKERS)
def test_the_page_is_whole_and_nothing_is_loaded_from_elsewhere(kind):
    source = html(MAKERS[kind]())
    page = Page(source)
    assert page.problems == []
    assert page.open == []
    policy = next(a["content"] for tag, a in page.tags if tag == "meta" and "http-equiv" in a)
    style = re.search(r"<style>(.*?)</style>", source, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"
    for tag, attributes in page.tags:
        assert tag != "script"
        assert not any(key.startswith("on") or key == "style" for key in attributes)
        assert "src" not in attributes or attributes["src"].startswith("data:image/webp;base64,")
    ids = [a["id"] for _, a in page.tags if "id" in a]
    assert len(ids) == len(set(ids))
    assert {a["href"][1:] for tag, a in page.tags if tag == "a" and a["href"].startswith("#")} <= set(ids)
    assert page.levels[0] == 1
    assert all(b <= a + 1 for a, b in pairwise(page.levels))


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        ("improved", "PASSED · IMPROVED"),
        ("harmed", "PASSED · HARMED"),
        ("no change", "PASSED · NO CHANGE"),
        ("two scans", "PASSED · NEW FINDINGS"),
    ],
)
def test_each_verdict_is_a_word_and_comes_first(kind, word):
    page = Page(html(MAKERS[kind]()))
    assert f"{word}: chest-xray-pneumonia before and after" in page.text
    assert first_screen(page).split("chest-xray-pneumonia ", 1)[1].startswith(word)


def test_the_first_screen_has_the_one_number_with_its_interval():
    words = first_screen(Page(html(improved())))
    assert "before 0.842 → after 0.871 difference +0.029 , 95 % interval +0.011 to +0.047" in words
    assert "624 records of 412 patients, 3 seeds; no correction touched these records" in words
    assert "no difference" in words
    assert "margin −0.010" in words


def test_an_improvement_does_not_hide_what_became_worse():
    words = first_screen(Page(html(improved())))
    assert "Became worse: Brier score 0.114 → 0.135" in words
    assert "1 finding above a note introduced." in words
    assert "Became worse" not in first_screen(Page(html(no_change())))


def test_two_scans_alone_count_their_errors_and_warnings():
    words = first_screen(Page(html(two_scans())))
    assert "before 5 → after 2" in words
    assert "These may be two different datasets" in words


def test_self_graded_is_said_on_the_first_screen_and_wherever_it_counts():
    text = Page(html(harmed(self_graded=True))).text
    assert text.index("Self-graded. The labels that this was measured on were chosen by a model") < text.index("before 0.842")
    assert len(re.findall("(?i)self-graded", text)) >= 4
    assert "elf-graded" not in Page(html(harmed())).text


def test_corrections_say_old_and_new_and_what_waits_for_a_person():
    text = Page(html(improved())).text
    assert "r010 label normal → pneumonia 0.985 5 of 5 models out of fold say pneumonia LN002 confident applied" in text
    assert "r029 label normal → pneumonia 0.909 4 of 5 models out of fold say pneumonia LN002 confident proposed" in text
    assert "corrections applied 14 corrections proposed 6" in text


def test_nothing_counts_as_applied_when_the_strategy_was_not():
    text = Page(html(replace(improved(), applied=()))).text
    assert "confident proposed" in text
    assert "confident applied" not in text
    assert "There is nothing to undo" in text


def test_what_was_removed_is_told_by_class_and_sex():
    text = Page(html(improved())).text
    assert "Removed, per class" in text
    assert "unknown 142 0 0.000" in text
    assert "same pixels as another record of the same patient" in text


def test_every_strategy_stands_in_one_table_and_the_skipped_have_their_reason():
    text = Page(html(improved())).text
    table = text[text.index("Strategies 6 strategies") : text.index("What was trusted")]
    assert "as it is nothing corrected baseline 0.842 0.921 0.688 0.114" in table
    assert "mixup Trains on mixtures of pictures not applied harmed asked for 0.808 −0.034, worse" in table
    assert "teacher Trusted records teach, and the others are read by what they taught not tried Of 118 trusted" in table
    assert "not tried The dataset has no masks" in table
    assert "cannot tell" in table


def test_what_nobody_looked_for_is_neither_fixed_nor_introduced():
    text = Page(html(improved())).text
    assert "Unclear 1 note Only one of the two scans could carry out the check" in text
    assert "Fixed 4 errors, 14 warnings" in text


def test_hostile_names_are_shown_as_they_are(hostile_names):
    source = html(hostile(hostile_names))
    page = Page(source)
    assert page.problems == []
    assert not any(key.startswith("on") or key == "style" for _, attributes in page.tags for key in attributes)
    assert not any(tag in ("script", "iframe") for tag, _ in page.tags)
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200b-\u200f]", source)
    for words in ("<script>alert(1)</script>.png", "two\\nlines.png", "exam\\u202egpj.exe", "{{ 7*7 }}"):
        assert words in page.text


def test_a_giant_comparison_stays_under_the_limit_and_says_what_it_leaves_out():
    arm = improved().arms[1]
    many = Proposal(
        strategy="confident", summary="s",
        corrections=tuple(replace(c, reason="<&\"'" * 200) for c in corrections(5000, 5000, "confident")),
        weights={str(k): 0.5 for k in range(5000)},
    )  # fmt: skip
    loud = [replace(NOISE, message="<&\"'" * 300, subject=str(k)) for k in range(3000)]
    comparison = compare_results(
        scanned(loud), scanned(loud[1500:]), arms=(replace(arm, proposal=many),), applied=("confident",),
        thumbnails={f"r{k:03d}": b"x" * 3000 for k in range(5000)},
    )  # fmt: skip
    source = html(comparison)
    assert len(source.encode()) <= MAX_BYTES
    assert re.search(r"The first \d+ of 5,000 corrections; all are in comparison.json", source)
    assert re.search(r"The first \d+ of 1,500 findings; all are in comparison.json", source)
    assert source.count("<img ") <= 200


def test_pictures_of_files_written_anew_stand_in_pairs():
    comparison = improved()
    record = next(iter(comparison.thumbnails))
    page = html(replace(comparison, pictures={record: b"\xff\xd8new", "unknown": b"\xff\xd8"}))
    assert "Pictures before and after" in page
    assert page.count(f'alt="Record {record} before"') == page.count(f'alt="Record {record} in the copy"') == 1
    assert "Record unknown" not in page
    assert "Pictures before and after" not in html(comparison)


def test_verdict_what_is_left_pictures_charts_and_then_the_rows():
    comparison = improved()
    record = next(iter(comparison.thumbnails))
    page = html(replace(comparison, pictures={record: b"\xff\xd8new"}))
    places = [page.index(f'id="{name}"') for name in ("verdict", "left", "pictures", "pairs", "changes", "findings", "run")]
    assert places == sorted(places)
    assert "6 warnings Labels that the pictures contradict LN002" in Page(page).text


def test_how_it_was_trained_is_on_the_first_screen():
    comparison = improved()
    arm = next(a for a in comparison.arms if a.strategy == comparison.chosen)
    taken = spent_table(
        [Spent(name="nothing", samples=40_000, seconds=1.0), Spent(name="confident", samples=80_000, seconds=2.0)]
    )
    trained = replace(arm, evaluation=replace(arm.evaluation, tables=(*arm.evaluation.tables, taken)))
    told = {"network": "small-cnn", "epochs": 40, "pictures": "64 × 64 pixels", "seeds": 3, "seed": 5}
    words = first_screen(Page(html(replace(comparison, arms=(trained,), configuration=told))))
    assert "Trained: network small-cnn; pictures of 64 × 64 pixels; 40 epochs; nothing saw 40,000 samples, " in words
    assert "confident saw 80,000 samples; 3 seeds (5 to 7)." in words
    assert "Trained:" not in first_screen(Page(html(comparison)))


def test_rows_that_differ_in_the_record_alone_are_one_row():
    arm = improved().arms[1]
    names = [
        Correction(
            record=f"r{k:03d}", field="path", old=f"{k}.dcm", new=f"{k:04d}.png", code="LK001", strategy="confident",
            reason="written anew like all other files", safe=True,
        )
        for k in range(160)
    ]  # fmt: skip
    blurred = [finding("IQ007", Severity.WARNING, "The image looks blurred", f"r{k}") for k in range(40)]
    same = compare_results(
        scanned(blurred), scanned(blurred), applied=("confident",),
        arms=(replace(arm, proposal=Proposal(strategy="confident", summary="s", corrections=tuple(names))),),
    )  # fmt: skip
    text = Page(html(same)).text
    assert text.count("written anew like all other files") == 1
    assert "and 159 others alike" in text
    assert text.count("The image looks blurred") == 1
    assert "40 records" in text
    assert "Remaining 40 warnings" in text
