import base64
import hashlib
import json
import re

from reports.review import Item, Sheet, queue_table, review_page

HOSTILE = "</script><img src=x onerror=alert(1)>"


def sheet(n=4, classes=("benign", "malignant"), **more):
    items = tuple(
        Item(
            record=f"r{i}",
            given=classes[i % 2] if classes else "x|y",
            suggested="benign",
            flagged=i == 1,
            picture=b"RIFFx" if i else None,
        )
        for i in range(n)
    )
    envelope = {"format": "medaudit-review", "version": 1, "flagged": 9, "others": 90, "identity": "abc"}
    return Sheet(**{"title": "chest", "classes": classes, "items": items, "envelope": envelope, **more})


def opened(sealed, number):
    """As the script of the page does it."""
    state, plain = (number * 2654435761 + 97) % 2**32, bytearray()
    for byte in base64.b64decode(sealed):
        state = (state * 1664525 + 1013904223) % 2**32
        plain.append(byte ^ (state >> 24))
    return plain.decode()


def data_of(page):
    data = json.loads(re.search(r'<script type="application/json" id="queue">(.*?)</script>', page, re.DOTALL)[1])
    for number, item in enumerate(data["items"], 1):
        item |= json.loads(opened(item["sealed"], number))
    return data


def test_the_page_holds_the_queue_and_what_the_answers_need():
    data = data_of(review_page(sheet()).decode())
    assert data["envelope"]["identity"] == "abc"
    assert data["classes"] == ["benign", "malignant"]
    assert [i["record"] for i in data["items"]] == ["r0", "r1", "r2", "r3"]
    assert data["items"][0]["picture"] == ""
    assert data["items"][1]["picture"].startswith("data:image/webp;base64,")


def test_its_policy_allows_its_own_script_and_style_and_nothing_else():
    page = review_page(sheet()).decode()
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page)[1]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)[1]
    script = re.search(r"</script>\s*<script>(.*?)</script>", page, re.DOTALL)[1]
    for text in (style, script):
        assert base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() in policy
    assert "http" not in re.sub(r"http-equiv", "", page)


def test_nothing_of_the_data_can_leave_its_element():
    items = (Item(record=HOSTILE, given=HOSTILE, suggested="<!--", flagged=False, picture=None),)
    page = review_page(sheet(items=items, title=HOSTILE)).decode()
    assert HOSTILE not in page
    assert "<!--" not in page
    assert data_of(page)["items"][0]["record"] == HOSTILE


def test_more_classes_than_keys_are_not_offered():
    assert data_of(review_page(sheet(classes=tuple(f"c{i}" for i in range(12)))).decode())["classes"] == []


def test_the_table_of_the_queue_does_not_tell_suspects_from_controls():
    assert queue_table(["007", "a,b"]).decode() == 'number,record,answer\n1,007,\n2,"a,b",\n'


def test_neither_names_nor_labels_can_be_read_in_the_source_before_the_answer():
    items = tuple(
        Item(record=f"{given}/{given} ({i}).png", given=given, suggested="normal", flagged=i == 1, picture=b"RIFFx")
        for i, given in enumerate(["malignant", "benign", "malignant"])
    )
    page = review_page(sheet(items=items, classes=())).decode()
    for word in ("malignant", "benign", "normal", ".png", 'flagged": true'):
        assert word not in page
    assert data_of(page)["items"][2]["record"] == "malignant/malignant (2).png"
    sealed = re.findall(r'"sealed": "([^"]+)"', page)
    assert len({len(text) for text in sealed}) == 1, "its length would tell the label"
    assert len(set(sealed)) == 3
