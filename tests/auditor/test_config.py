from pathlib import Path

import pytest

from auditor.config import Config, read_config
from auditor.own import find_config
from auditor.values.errors import ConfigError


def written(folder: Path, text: str) -> Path:
    path = folder / "medaudit.toml"
    path.write_text(text, "utf-8")
    return path


def test_an_empty_file_is_the_defaults(tmp_path: Path) -> None:
    assert read_config(written(tmp_path, "")) == Config()


def test_the_limits_per_file_are_the_users(tmp_path: Path) -> None:
    limits = read_config(written(tmp_path, "[limits]\nseconds = 5\nwall-seconds = 90\n")).limits_of()
    assert (limits.seconds, limits.wall_seconds) == (5, 90)


def test_every_section_is_read(tmp_path: Path) -> None:
    config = read_config(
        written(
            tmp_path,
            """
            [dataset]
            root = "images"
            [roles]
            label = "finding"
            [design]
            kind = "case-control"
            strata = ["table.site"]
            inputs = ["table.age"]
            [scan]
            fail-on = "warning"
            require = ["SP006"]
            [severity]
            LK001 = "warning"
            [checks.LK001]
            max_auc = 0.8
            [[waivers]]
            code = "LK001"
            field = "dicom.KVP"
            reason = "known"
            """,
        )
    )
    options = config.options(tmp_path)
    assert options.root == tmp_path / "images"
    assert options.roles == {"label": "finding"}
    assert config.design_of().strata == ("table.site",)
    assert config.design_of().inputs == ("table.age",)
    assert config.scan.fail_on == "warning"
    assert config.severity["LK001"] == "warning"
    assert config.waivers[0].reason == "known"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[scan]\nfail_onn = 'error'", "unknown key 'scan.fail_onn'; did you mean 'fail-on'?"),
        ("[scna]\n", "unknown key 'scna'; did you mean 'scan'?"),
        ("[roles]\npatinet = 'id'", "'patinet' is no role; did you mean 'patient'?"),
        ("[checks.LK001]\nmax_uac = 0.8", "[checks.LK001] has no option 'max_uac'; did you mean 'max_auc'?"),
        ("[checks.LK001]\nmax_auc = 'high'", "a float is needed"),
        ("[checks.XX001]\na = 1", "'XX001' is no check"),
        ("[severity]\nLK01 = 'info'", "'LK01' is no check; did you mean"),
        ("[severity]\nLK001 = 'fatal'", "severity.LK001"),
        ("[scan]\nfail-on = 'always'", "scan.fail-on"),
        ("[[waivers]]\ncode = 'LK001'", "reason"),
        ("[[waivers]]\ncode = 'LK999'\nreason = 'x'", "no check has the code 'LK999'"),
        ("[scan\n", "not a TOML file"),
    ],
)
def test_a_mistake_is_one_line_that_says_where(tmp_path: Path, text: str, told: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        read_config(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert told in message
    assert "\n" not in message


def test_the_file_is_found_in_the_folder_or_beside_the_table(tmp_path: Path) -> None:
    path = written(tmp_path, "")
    (tmp_path / "labels.csv").write_text("a\n")
    assert find_config(tmp_path) == path
    assert find_config(tmp_path / "labels.csv") == path
    assert find_config(tmp_path / "elsewhere" / "labels.csv") is None


@pytest.mark.parametrize(
    "content",
    [
        b"a = " + b"9" * 5000, b"a = " + b"[" * 50_000, b"a." * 50_000 + b"a = 1", b'"a" . ' * 40_000 + b"a = 1", b"\xff\xfe",
        b"[privacy]\npseudonyms = '(a'", b"[privacy]\npseudonyms = '(a)\\1'", b"[limits]\nseconds = 'x'", b"#" * (1 << 19),
    ],
)  # fmt: skip
def test_settings_of_a_stranger_end_in_one_line_and_soon(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "medaudit.toml").write_bytes(content)
    with pytest.raises(ConfigError) as refused:
        read_config(tmp_path / "medaudit.toml")
    assert "\n" not in str(refused.value)
