"""The page before and after in Chromium: axe-core finds nothing, nothing is requested, phones can read it."""

import pytest
from comparisons import harmed, improved, no_change, two_scans

from reports.formats.html import render_comparison

pytestmark = pytest.mark.browser
PAGES = {
    "improved": improved,
    "harmed": lambda: harmed(self_graded=True),
    "no change": no_change,
    "two scans": two_scans,
}


@pytest.fixture(scope="module")
def addresses(tmp_path_factory):
    folder = tmp_path_factory.mktemp("comparisons")
    found = {}
    for name, make in PAGES.items():
        path = folder / f"{name}.html"
        path.write_bytes(render_comparison(make(), "c.html")["c.html"])
        found[name] = path.as_uri()
    return found


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing(browser, axe, addresses, name, scheme, width):
    # The page's policy forbids every script, axe too: for this test alone it is put aside.
    context = browser.new_context(bypass_csp=True, color_scheme=scheme, viewport={"width": width, "height": 800})
    page = context.new_page()
    page.goto(addresses[name])
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    page.add_script_tag(content=axe)
    violations = page.evaluate("axe.run(document)")["violations"]
    assert [(v["id"], [node["html"][:200] for node in v["nodes"][:3]]) for v in violations] == []
    context.close()


def test_the_page_is_one_request_without_a_word_in_the_console(browser, addresses):
    page = browser.new_page()
    requests, words = [], []
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda message: words.append(message.text))
    page.on("pageerror", lambda error: words.append(str(error)))
    page.goto(addresses["improved"])
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    page.mouse.wheel(0, 30_000)
    page.wait_for_load_state("networkidle")
    assert [url for url in requests if not url.startswith("data:")] == [addresses["improved"]]
    assert words == []
    page.close()


@pytest.mark.parametrize("width", [320, 1280])
@pytest.mark.parametrize("name", PAGES)
def test_only_wide_tables_scroll_sideways_never_the_page(browser, addresses, name, width):
    page = browser.new_page(viewport={"width": width, "height": 800})
    page.goto(addresses[name])
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") == width
    page.close()


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (390, 844)])
@pytest.mark.parametrize("name", ["improved", "harmed"])
def test_verdict_and_number_are_on_the_first_screen(browser, addresses, name, width, height):
    page = browser.new_page(viewport={"width": width, "height": height})
    page.goto(addresses[name])
    for part in ("#verdict", ".mainnumber .levels", ".selfgraded" if name == "harmed" else ".why"):
        box = page.locator(part).first.bounding_box()
        assert box["y"] + box["height"] <= height, part
    page.close()


def test_it_prints(browser, addresses):
    page = browser.new_page()
    page.goto(addresses["improved"])
    assert page.pdf(format="A4").startswith(b"%PDF")
    page.close()
