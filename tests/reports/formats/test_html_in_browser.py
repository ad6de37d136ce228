"""The HTML report in Chromium: axe-core finds nothing, nothing is requested, phones can read it, it prints."""

import pytest

from reports.formats.html import document, render
from reports.views import Limits

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def address(hostile_result, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_bytes(render(hostile_result, "report.html")["report.html"])
    return path.as_uri()


@pytest.fixture(scope="module")
def short_address(hostile_result, tmp_path_factory):
    """The same page with 20 rows per table: axe looks at every cell."""
    path = tmp_path_factory.mktemp("short") / "report.html"
    path.write_text(document(hostile_result, Limits(rows=20)), "utf-8")
    return path.as_uri()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_axe_finds_nothing(browser, axe, short_address, scheme, width):
    # The page's policy forbids every script, axe too: for this test alone it is put aside.
    context = browser.new_context(bypass_csp=True, color_scheme=scheme, viewport={"width": width, "height": 800})
    page = context.new_page()
    page.goto(short_address)
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    page.add_script_tag(content=axe)
    violations = page.evaluate("axe.run(document)")["violations"]
    assert [(v["id"], [node["html"][:200] for node in v["nodes"][:3]]) for v in violations] == []
    context.close()


def test_the_page_is_one_request_without_a_word_in_the_console(browser, address):
    page = browser.new_page()
    requests, words = [], []
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda message: words.append(message.text))
    page.on("pageerror", lambda error: words.append(str(error)))
    page.on("dialog", lambda dialog: words.append(dialog.message))
    page.goto(address)
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    page.mouse.wheel(0, 30_000)
    page.wait_for_load_state("networkidle")
    assert [url for url in requests if not url.startswith("data:")] == [address]
    assert words == []
    page.close()


def test_the_style_is_allowed_and_works(browser, address):
    page = browser.new_page(color_scheme="light")
    page.goto(address)
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.emulate_media(color_scheme="dark")
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert light == "rgb(246, 247, 249)"
    assert dark == "rgb(16, 21, 27)"
    page.close()


@pytest.mark.parametrize("width", [320, 360, 1280])
def test_only_wide_tables_scroll_sideways_never_the_page(browser, address, width):
    page = browser.new_page(viewport={"width": width, "height": 800})
    page.goto(address)
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") == width
    page.close()


def test_the_keyboard_reaches_the_sections_and_the_focus_is_seen(browser, address):
    page = browser.new_page()
    page.goto(address)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the verdict"
    assert page.evaluate("document.activeElement.getBoundingClientRect().left") >= 0
    assert page.evaluate("getComputedStyle(document.activeElement).outlineWidth") == "3px"
    page.close()


def test_the_pictures_can_be_decoded(browser, address):
    page = browser.new_page()
    page.goto(address)
    page.evaluate("document.querySelectorAll('img').forEach(i => i.loading = 'eager')")
    page.wait_for_function("[...document.images].every(i => i.complete)")
    assert page.evaluate("[...document.images].every(i => i.naturalWidth === 64)")
    page.close()


def test_it_prints_in_full_width(browser, address):
    page = browser.new_page()
    page.goto(address)
    assert page.pdf(format="A4").startswith(b"%PDF")
    page.close()


def test_the_first_page_of_a_print_is_the_summary(browser, address):
    """The rest begins on a page of its own, and what is folded takes no paper unless it says that there is more."""
    page = browser.new_page(viewport={"width": 703, "height": 1032})  # A4 without its margins
    page.goto(address)
    page.emulate_media(media="print")
    assert page.locator(".printed").is_visible()
    assert page.evaluate("getComputedStyle(document.querySelector('#read')).breakBefore") == "page"
    folded = page.locator("details:not([open], .more, .part)")
    assert folded.count()
    assert not any(one.is_visible() for one in folded.all())
    page.emulate_media(media="screen")
    assert not page.locator(".printed").is_visible()
    assert folded.first.is_visible()
    page.close()
