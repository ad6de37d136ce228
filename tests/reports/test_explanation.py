"""The small markdown of documentation, as safe HTML."""

from reports.explanation import sections

TEXT = """The title line.

A word *before* the sections.

## What it does

Counts `a < b`, then **much**
more.

- one
- two goes
  on

1. first

```
x = "<b>"
## not a heading
```

| option | default |
|---|---|
| `max_auc` | 0.75 |

## References
[paper](https://doi.org/10.1/x), [bad](javascript:alert(1)), <script>alert(1)</script>, 2 * 3 * 4
"""


def test_each_section_becomes_html():
    found = sections(TEXT)
    assert list(found) == ["", "What it does", "References"]
    assert found[""] == "<p>A word <em>before</em> the sections.</p>"
    html = found["What it does"]
    assert "<p>Counts <code>a &lt; b</code>, then <strong>much</strong> more.</p>" in html
    assert "<ul><li>one</li><li>two goes on</li></ul>" in html
    assert "<ol><li>first</li></ol>" in html
    assert "<pre><code>x = &#34;&lt;b&gt;&#34;\n## not a heading</code></pre>" in html
    assert '<th scope="col">option</th>' in html
    assert "<td><code>max_auc</code></td><td>0.75</td>" in html


def test_only_https_links_are_links_and_markup_is_text():
    html = sections(TEXT)["References"]
    assert '<a href="https://doi.org/10.1/x" rel="noreferrer noopener">paper</a>' in html
    assert 'href="javascript' not in html
    assert "&lt;script&gt;" in html
    assert "2 * 3 * 4" in html


def test_a_title_alone_has_no_sections():
    assert sections("Only a title.") == {}
    assert sections("") == {}


def test_an_unclosed_fence_ends_with_the_text():
    assert sections("T.\n## How to fix\n```\ncode")["How to fix"] == "<pre><code>code</code></pre>"
