"""Writes docs/checks.md, strategies.md and configuration.md from the docstrings: `python docs/make_pages.py`."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import json
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from auditor.check import check_classes
from auditor.check import title as title_of_check
from auditor.config import Config
from auditor.config_sections import Section, Waiver
from auditor.layout import PARTS, layouts
from auditor.values.dataset import ROLES
from auditor.values.image import Limits
from trainers.strategy import strategy_classes
from trainers.strategy import title as title_of_strategy

CHECKS = """\
# Checks

Written by `docs/make_pages.py` from the checks themselves; `medaudit explain CODE` prints the same text. Severity is the most severe level that a
check's findings have by default; `[severity]` in `medaudit.toml` changes it, thresholds stand under `[checks.CODE]`.

"""
STRATEGIES = """\
# Strategies

Written by `docs/make_pages.py` from the strategies themselves; `medaudit explain NAME` prints the same text. Strategies that change the same thing (the
column *answers*) compete in a run of `medaudit fix`; the others follow each other.

"""
CONFIGURATION = """\
# medaudit.toml

Written by `docs/make_pages.py` from the settings themselves. `medaudit init DATASET` writes a commented file with the roles that it found. Every key may be
left out; an unknown one is an error. A file that lies in the data set pins how it is read, and loosens nothing ([who judges](command-line.md#who-judges)).

"""


def checks_page() -> str:
    """Of all checks."""
    checks = check_classes()
    rows = [f"| [{c.code}](#{c.code.lower()}) | {c.name} | {c.severity.value} | {title_of_check(c)} |" for c in checks]
    table = "\n".join(["| code | name | severity | what |", "|---|---|---|---|", *rows])
    return CHECKS + table + "\n\n" + "\n".join(section(c.code, f"**{c.name}**: ", c) for c in checks)


def strategies_page() -> str:
    """Of all strategies."""
    kinds = strategy_classes()
    rows = [f"| [{k.name}](#{k.name}) | {k.answers} | {'yes' if k.trains else 'no'} | {title_of_strategy(k)} |" for k in kinds]
    table = "\n".join(["| name | answers | trains | what |", "|---|---|---|---|", *rows])
    return STRATEGIES + table + "\n\n" + "\n".join(section(k.name, "", k) for k in kinds)


def configuration_page() -> str:
    """Of all sections and keys of medaudit.toml."""
    parts = []
    for name, field in Config.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, Section):
            parts.append(keys_of(f"[{name}]", kind))
        elif name == "waivers":
            parts.append(keys_of("[[waivers]]", Waiver))
        else:
            parts.append(OPEN_SECTIONS[name]())
    return CONFIGURATION + "\n".join(parts)


def meanings(kind: type[Section]) -> dict[str, str]:
    """Key → the text below it. Pydantic would read the source for it at every start of every command."""
    (body,) = ast.parse(inspect.getsource(kind)).body
    assert isinstance(body, ast.ClassDef)
    return {
        key.target.id: inspect.cleandoc(text.value.value)
        for key, text in pairwise(body.body)
        if isinstance(key, ast.AnnAssign) and isinstance(key.target, ast.Name)
        and isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant)
    }  # fmt: skip


def keys_of(heading: str, kind: type[Section]) -> str:
    """A section with its keys, their defaults and what they mean."""
    rows, means = [], meanings(kind)
    for name, field in kind.model_fields.items():
        default = getattr(Limits(), name) if heading == "[limits]" else field.get_default(call_default_factory=True)
        rows.append(f"| `{name.replace('_', '-')}` | {shown(default)} | {means[name]}{choices(field.annotation)} |")
    words = (inspect.getdoc(kind) or "").splitlines()[0].partition("`: ")[2]
    words = words[:1].upper() + words[1:]
    return "\n".join([f"## {heading}", "", words, "", "| key | default | meaning |", "|---|---|---|", *rows, ""])


def choices(kind: Any) -> str:
    """What may stand there, where that is a list."""
    options = [o for part in (kind, *get_args(kind)) if get_origin(part) is Literal for o in get_args(part) if o]
    return f" (`{'`, `'.join(options)}`)" if options else ""


def shown(default: Any) -> str:
    """A default as TOML writes it; nothing where there is none."""
    if default is None or default == "" or repr(default) == "PydanticUndefined":
        return ""
    return f"`{json.dumps(list(default) if isinstance(default, tuple) else default)}`"


def options_of(heading: str, kinds: dict[str, type]) -> str:
    """The options that checks or strategies have, by name; what they mean stands on their own pages."""
    rows = [
        f"| `{name}` | `{option.name}` | {shown(option.default)} |"
        for name, kind in kinds.items()
        for option in dataclasses.fields(kind)
    ]
    return "\n".join([f"## {heading}", "", "| of | option | default |", "|---|---|---|", *rows, ""])


OPEN_SECTIONS = {
    "roles": lambda: f"## [roles]\n\nRole = column of the label table: {', '.join(f'`{role}`' for role in ROLES)}.\n",
    "severity": lambda: "## [severity]\n\nCode = `info`, `warning` or `error`: the level of a check's findings.\n",
    "checks": lambda: options_of("[checks.CODE]", {c.code: c for c in check_classes()}),
    "strategies": lambda: options_of("[strategies.NAME]", {k.name: k for k in strategy_classes()}),
}
"""Sections whose keys are not ours to list one by one."""


LAYOUTS = """\
# Layouts

Written by `docs/make_pages.py` from the layouts themselves; a test opens a set of each and holds this table against what is read. The layout that fits a
folder best is taken and told; `--layout NAME` pins one. What lies there and is not read (another table, archives, formats without a reader) is told by name; of
archives (zip, tar, WebDataset shards, Parquet tables with images) `medaudit unpack` makes a folder that is read as any other.

"""


DOCUMENTED = """## Public collections

Small sets by the names and the structure that collections document (made-up pictures), and what is read of each; a test holds
the table against it. Unread files are told; MURA's lists, Kvasir's boxes and LIDC's readings end a scan as NOT ENOUGH SEEN, and RSNA's
second table does not. Where patients are empty though the collection has them (LIDC as pictures, M&Ms, RSNA, VinDr), the verdict
says that patients cannot be told: `--patient` names them.

| collection | records | classes | splits | patients | masks | boxes | readings | unread files |
|---|---|---|---|---|---|---|---|---|
| HAM10000 | 24 | bkl, mel, nv |  |  |  |  |  |  |
| ISIC 2019 | 20 | AK, BCC, MEL, NV |  |  |  |  |  |  |
| PANDA | 20 | 0, 1, 2, 3, 4, 5 |  |  | 20 |  |  |  |
| MURA | 32 | negative, positive | train 16, val 16 | 16 |  |  |  | 2 |
| CheXpert | 20 | Cardiomegaly, Edema, No Finding | train 10, val 10 | 20 |  |  |  |  |
| VinDr-CXR | 12 |  |  |  |  | 18 | 36 |  |
| RSNA Pneumonia | 12 | 0, 1 |  |  |  | 6 |  | 1 |
| EyePACS | 24 | 0, 1, 2, 3, 4 |  | 12 |  |  |  |  |
| ODIR-5K | 24 | cataract, normal fundus |  | 12 |  |  |  |  |
| BreakHis | 32 | benign, malignant |  | 8 |  |  |  |  |
| CVC-ClinicDB | 12 |  |  |  | 12 |  |  |  |
| Kvasir-SEG | 12 |  |  |  | 12 |  |  | 1 |
| Kvasir v2 | 24 | dyed-lifted-polyps, esophagitis, normal-z-line |  |  |  |  |  |  |
| M&Ms | 10 | DCM, HCM, NOR |  |  | 10 |  |  |  |
| LIDC-IDRI as PNG | 18 |  |  |  |  |  |  | 1 |
| ADNI-like | 12 | AD, CN |  | 6 |  |  |  |  |
| OAI (KL grades) | 36 | 0, 1, 2 | test 12, train 12, val 12 | 36 |  |  |  |  |
| UK-Biobank-like | 12 |  |  | 12 |  |  |  |  |
"""


def layouts_page() -> str:
    """Of all layouts: what each reads."""
    ours = {name: module for name, module in sorted(layouts().items()) if module.__name__.startswith("auditor.layouts.")}
    head = [f"| layout | {' | '.join(PARTS)} |", "|---|" + "---|" * len(PARTS)]
    rows = [
        f"| [{name}](#{name}) | " + " | ".join("yes" if part in module.READS else "" for part in PARTS) + " |"
        for name, module in ours.items()
    ]
    words = [f"* **{part}**: {what}" for part, what in PARTS.items()]
    sections = [f"## {name}\n\n{inspect.getdoc(module)}\n" for name, module in ours.items()]
    return LAYOUTS + "\n".join([*head, *rows]) + "\n\n" + "\n".join(words) + "\n\n" + "\n".join([DOCUMENTED, *sections])


def section(heading: str, lead: str, kind: type) -> str:
    """One of them: its docstring, with the headings one level down."""
    text = (inspect.getdoc(kind) or "").replace("\n## ", "\n### ")
    return f"## {heading}\n\n{lead}{text}\n"


if __name__ == "__main__":
    folder = Path(__file__).parent
    (folder / "layouts.md").write_text(layouts_page(), "utf-8")
    (folder / "checks.md").write_text(checks_page(), "utf-8")
    (folder / "strategies.md").write_text(strategies_page(), "utf-8")
    (folder / "configuration.md").write_text(configuration_page(), "utf-8")
