"""The commented medaudit.toml that `medaudit init` writes."""

from __future__ import annotations

import json

from auditor.values.dataset import ROLES
from auditor.values.results import DatasetSummary, Guess
from medaudit.interview import Interview

HEAD = """\
# medaudit.toml: how `medaudit scan` reads this dataset, and what fails. Every key may be left out.
# What stands here was found by looking; lines that begin with # show the default or an example.
# A file that lies in the dataset pins how it is read. What loosens the gate (severity, checks, waivers, ignore, limits,
# privacy) counts where the file is named: medaudit scan DATASET --config medaudit.toml

[dataset]
layout = {layout}
# root = "images"            # folder that the paths of the label table start from, relative to this file
# tables = ["labels.csv"]    # the label table, relative to this file, where it is not to be looked for
# level = "image"            # what one label speaks about: image, series, study, lesion, eye, patient
"""

TAIL = """
[design]
# kind = "case-control"      # consecutive, case-control, screening, multi-site, temporal, external-test
# strata = ["table.site"]    # associations are judged marginally and within these fields
# inputs = ["table.age"]     # metadata fields that a model will read; all others are "not an input"
# splits = "random"          # random, by-site, by-time, official

[privacy]
# pseudonyms = "CASE-[0-9]{4}"          # a regular expression: ids that it matches whole stand for nobody
# private-allowed = ["SIEMENS CSA HEADER"]   # private creators whose DICOM elements may stay
# quasi-identifiers = ["table.age", "dicom.PatientSex"]   # what outsiders could know: PH006 judges them together

[scan]
# select = ["LK", "SP"]      # codes or prefixes; `medaudit rules` lists them
# ignore = ["LN"]
# require = ["SP006"]        # exit 3 when one of these cannot be evaluated
# fail-on = "error"          # info, warning, error, never
# strict = true              # exit 3 where too little could be looked at to say that all is well
# baseline = "baseline.json" # result.json of an earlier scan: its findings are accepted as they were, new ones fail
# per-path-ignores = { "legacy/*" = ["IQ"] }   # findings of these checks there fail nothing

[severity]
# LK002 = "info"

[checks.LK001]
# max_auc = 0.75             # `medaudit explain LK001` names every option

# [checks.SP008]
# sizes = ["train=0.7", "val=0.15", "test=0.15"]   # the sizes that the splits were declared to have

# [[waivers]]                # findings that were read and accepted; shown, but they fail nothing
# code = "LK001"
# field = "dicom.KVP"
# reason = "one scanner protocol per clinic, balanced in the next release"
# owner = "imaging team"     # who answers for it
# expires = 2027-06-30       # its last day
"""


def config_text(summary: DatasetSummary, said: Interview | None = None) -> str:
    """TOML with the layout and the roles found, each with its confidence and why; above them, what was taken for what, and what
    is to be confirmed."""
    said = said or Interview()
    by_role = {guess.role: guess for guess in summary.guesses}
    lines = ["", *_comments("What was taken for what:", said.lines), *_comments("To be confirmed:", said.unsure), "[roles]"]
    for role in ROLES:
        guess = by_role.get(role)
        if role in said.pins:
            lines.append(f"{role} = {quoted(said.pins[role])}  # as answered")
        else:
            lines.append(role_line(role, guess) if guess is not None else f'# {role} = "column"')
    return HEAD.format(layout=quoted(summary.layout)) + "\n".join(lines) + "\n" + TAIL


def _comments(title: str, lines: tuple[str, ...]) -> list[str]:
    """Lines of comments under a title; none where there is nothing to say."""
    plain = [" ".join(line.split()) for line in lines]
    return [f"# {title}", *(f"#   {line}" for line in plain), ""] if plain else []


def role_line(role: str, guess: Guess) -> str:
    """A role that is a column is pinned; one that comes from folders or headers is only told."""
    told = f"# {guess.confidence:.0%} sure: {guess.why}".replace("\n", " ")
    pinnable = guess.column is not None
    return f"{role} = {quoted(guess.column)}  {told}" if pinnable and guess.column else f"# {role}: {guess.value}  {told}"


def quoted(text: str) -> str:
    """A TOML basic string; JSON's escapes are a subset of TOML's."""
    return json.dumps(text, ensure_ascii=False)
