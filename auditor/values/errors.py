"""The exception tree.

MedauditError                  exit code 2: the user can mend it; one line says where, what and what to do
├── ConfigError                medaudit.toml, an option, a waiver
├── DatasetError               the dataset cannot be opened: path, column, empty folder
└── MissingExtraError          an optional dependency; the message holds the pip command

UnreadableFile                 one file cannot be read: caught by the extract pass and turned into a finding (IN001)
"""

from __future__ import annotations


class MedauditError(Exception):
    """Something the user can mend. The message is one line: where, what, what to do."""


class ConfigError(MedauditError):
    """A configuration file, option or waiver is wrong."""


class DatasetError(MedauditError):
    """The dataset cannot be opened."""


class MissingExtraError(MedauditError):
    """An optional dependency is not installed.

    Args:
        package: distribution name, as pip knows it.
        extra: the extra of medaudit that brings it.
        purpose: what it is needed for ("DICOM JPEG 2000 pixels").
    """

    def __init__(self, package: str, *, extra: str, purpose: str) -> None:
        super().__init__(f"{purpose} needs {package}: pip install 'medaudit[{extra}]'")
        self.package = package
        self.extra = extra
        self.purpose = purpose

    def __reduce__(self) -> tuple[object, ...]:
        # It crosses from a worker process to the one that asked.
        return _missing_extra, (self.package, self.extra, self.purpose)


def _missing_extra(package: str, extra: str, purpose: str) -> MissingExtraError:
    return MissingExtraError(package, extra=extra, purpose=purpose)


class UnreadableFile(Exception):
    """One file cannot be read; never ends a scan.

    Args:
        kind: one of `empty`, `truncated`, `malformed`, `not-an-image`, `too-large`, `unsupported`, `missing-codec`,
            `timeout`, `memory`, `over-limit`, `crashed`, `refused`, `no-pixels`. `too-large` is a small file that declares
            much, `over-limit` one that is as large as it says.
        reason: one sentence a person understands; holds no value of the file that could identify a patient.
        declared_bytes: what a header declares that was refused for its size; 0 where it was not.
    """

    def __init__(self, kind: str, reason: str, declared_bytes: int = 0) -> None:
        super().__init__(kind, reason, declared_bytes)
        self.kind = kind
        self.reason = reason
        self.declared_bytes = declared_bytes

    def __str__(self) -> str:
        return self.reason
