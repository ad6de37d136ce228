"""The review page in Chromium: blind, worked through with keys, nothing requested, axe-core finds nothing."""

import json

import pytest

from auditor.evidence.labels.review import read_review
from reports.review import Item, Sheet, review_page

pytestmark = pytest.mark.browser


@pytest.fixture
def address(tmp_path):
    given = ["benign", "malignant", "benign", "malignant"]
    items = tuple(Item(record=f"r{i}", given=g, suggested="benign", flagged=i == 1, picture=None) for i, g in enumerate(given))
    envelope = {"format": "medaudit-review", "version": 1, "flagged": 9, "others": 90, "identity": "abc"}
    path = tmp_path / "review.html"
    path.write_bytes(review_page(Sheet(title="chest", classes=("benign", "malignant"), items=items, envelope=envelope)))
    return path.as_uri()


def test_a_reviewer_works_through_it_with_keys_and_the_answers_are_read_back(browser, address, tmp_path):
    context = browser.new_context(accept_downloads=True)
    page = context.new_page()
    requests, complaints = [], []
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(address)
    assert "benign" not in page.inner_text("#given")
    assert not page.is_visible("#judge")
    page.keyboard.press("r")  # no answer before the reader has decided
    assert "0 answered" in page.inner_text("#progress")
    page.keyboard.press("1")
    assert page.inner_text("#given") == "benign"
    assert page.get_attribute("[data-answer=right]", "aria-pressed") == "true"
    page.keyboard.press("r")
    assert not page.is_visible("#judge")
    page.keyboard.press("1")
    assert page.get_attribute("[data-answer=wrong]", "aria-pressed") == "true"
    page.keyboard.press("w")
    page.keyboard.press("Enter")
    page.keyboard.press("a")
    page.keyboard.press("b")
    page.keyboard.press("Enter")
    page.keyboard.press("c")
    page.keyboard.press("2")
    page.click("[data-answer=right]")
    assert page.is_visible("#done")
    with page.expect_download() as waiting:
        page.keyboard.press("s")
    path = tmp_path / "answers.json"
    waiting.value.save_as(path)
    review = read_review(path)
    assert [(a.record, a.answer, a.flagged) for a in review.answers] == [
        ("r0", "right", False), ("r1", "wrong", True), ("r2", "cannot tell", False), ("r3", "right", False),
    ]  # fmt: skip
    assert (review.flagged, review.others, review.identity) == (9, 90, "abc")
    assert json.loads(path.read_text())["answers"][1]["read_as"] == "benign"
    assert [url for url in requests if not url.startswith(("file:", "blob:", "data:"))] == []
    assert complaints == []
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(browser, axe, address, scheme):
    context = browser.new_context(bypass_csp=True, color_scheme=scheme, viewport={"width": 360, "height": 800})
    page = context.new_page()
    page.goto(address)
    page.add_script_tag(content=axe)
    for key in ("1", "r"):
        violations = page.evaluate("axe.run(document)")["violations"]
        assert [(v["id"], [node["html"][:200] for node in v["nodes"][:3]]) for v in violations] == []
        page.keyboard.press(key)
    context.close()
