"""Plug-ins of ours and of others are found alike, and a broken one says which it is."""

import inspect
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from foreign import installed

from auditor import check, feature, format, layout, plugins
from auditor.naming import suffixes
from auditor.values.errors import ConfigError
from reports import format as report_format

CHECK = """
from typing import ClassVar
from auditor.check import Check, SkipCheck
from auditor.values.results import Severity

class Foreign(Check):
    '''A foreign rule.'''
    code: ClassVar[str] = "ZZ901"
    name: ClassVar[str] = "foreign-rule"
    severity: ClassVar[Severity] = Severity.INFO

    def run(self, dataset):
        raise SkipCheck("nothing to look at")
"""
FEATURE = "COLUMNS = ('one',)\nVERSION = 1\ndef measure(view): return [1.0]\n"
FORMAT = "from auditor.values.image import Format\nPRIORITY = 90\nFORMATS = {'toy': Format(words='Toy', suffixes=('toy',))}\n"
FORMAT += "def sniff(head): return 'toy' if head[:3] == b'TOY' else None\n"
FORMAT += "def open_header(source, limits): ...\ndef open_pixels(source, header, limits): ...\n"
LAYOUT = "def detect(listing, options): return None\ndef load(listing, options): ...\n"
REPORT = "SUFFIXES = ('.toy',)\ndef render(result, name): return {name: b'toy'}\n"


Install = Callable[[str, str], None]


@pytest.fixture
def install(tmp_path: Path) -> Iterator[Install]:
    """Installs a package with this module and these entry points."""
    with ExitStack() as stack:
        yield lambda content, points: stack.enter_context(installed(tmp_path, points, content))


def test_a_foreign_check_is_found(install: Install) -> None:
    install(CHECK, "[medaudit.checks]\nforeign = foreign_plugin:Foreign\n")
    assert "ZZ901" in {kind.code for kind in check.check_classes()}


def test_a_foreign_feature_is_found(install: Install) -> None:
    install(FEATURE, "[medaudit.features]\ntoy = foreign_plugin\n")
    assert "toy.one" in feature.feature_columns()


def test_a_foreign_format_reads_its_own_content(install: Install) -> None:
    install(FORMAT, "[medaudit.formats]\ntoy = foreign_plugin\n")
    assert format.format_of(b"TOY and more") == "toy"
    assert suffixes.looks_like_image_name("a/b.toy")


def test_a_foreign_layout_is_found(install: Install) -> None:
    install(LAYOUT, "[medaudit.layouts]\ntoy = foreign_plugin\n")
    assert "toy" in layout.layouts()


def test_a_foreign_report_format_is_chosen_by_its_suffix(install: Install) -> None:
    install(REPORT, "[medaudit.reports]\ntoy = foreign_plugin\n")
    assert report_format.parse_output("x.toy") == ("toy", Path("x.toy"))


def test_a_plug_in_that_cannot_be_loaded_is_named(install: Install) -> None:
    install("import no_such_module\n", "[medaudit.features]\ntoy = foreign_plugin\n")
    with pytest.raises(ConfigError, match=r"toy = foreign_plugin .*foreign-plugin cannot be loaded"):
        feature.features()


def test_a_plug_in_that_lacks_a_name_says_which(install: Install) -> None:
    install("VERSION = 1\n", "[medaudit.features]\ntoy = foreign_plugin\n")
    with pytest.raises(ConfigError, match="lacks COLUMNS, measure"):
        feature.features()


def test_a_class_in_the_place_of_a_module_is_refused(install: Install) -> None:
    install(
        "class Toy:\n    COLUMNS = ()\n    VERSION = 1\n    measure = None\n", "[medaudit.features]\ntoy = foreign_plugin:Toy\n"
    )
    with pytest.raises(ConfigError, match="is no module"):
        feature.features()


def test_a_plug_in_with_a_name_of_ours_is_refused(install: Install) -> None:
    install(FEATURE, "[medaudit.features]\nintensity = foreign_plugin\n")
    with pytest.raises(ConfigError, match=r"auditor\.features\.intensity has that name already"):
        feature.features()


@pytest.mark.parametrize("member", ["NUMBER", "Plain"])
def test_what_is_no_check_is_refused_as_one(install: Install, member: str) -> None:
    install("NUMBER = 3\nclass Plain: ...\n", f"[medaudit.checks]\nforeign = foreign_plugin:{member}\n")
    with pytest.raises(ConfigError, match="no usable Check"):
        check.check_classes()


def test_a_code_that_is_taken_is_refused(install: Install) -> None:
    install(CHECK.replace("ZZ901", "LK001"), "[medaudit.checks]\nforeign = foreign_plugin:Foreign\n")
    with pytest.raises(ConfigError, match="two checks have the code LK001"):
        check.check_classes()


def test_every_group_is_documented_for_those_who_write_plug_ins() -> None:
    text = (Path(inspect.getfile(plugins)).parents[1] / "docs" / "architecture.md").read_text()
    for group in plugins.GROUPS:
        assert f"`{group}`" in text
