"""Known weaknesses of the installed packages: `python benchmarks/packages.py PIP_AUDIT SITE_PACKAGES`.

Runs pip-audit and counts what it could ask about, because a package that the index did not know is no clean package. Exit 1
where a weakness is known; exit 0 with the words NOT RUN where nothing could be asked, unless the environment says CI.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any

ENOUGH = 0.5
"""With fewer packages asked about, the audit counts as not run."""


def main(tool: str, folder: str) -> int:
    """Run it, say what came out, and give the exit code."""
    command = [tool, "--path", folder, "--skip-editable", "--progress-spinner", "off", "-f", "json"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
        packages = json.loads(done.stdout)["dependencies"]
    except (OSError, ValueError, KeyError, subprocess.TimeoutExpired) as error:
        packages, why = [], type(error).__name__
    else:
        why = ""
    lines, code = judged(packages, why, strict=bool(os.environ.get("CI")))
    print("\n".join(lines))
    return code


def judged(packages: Sequence[Mapping[str, Any]], why: str, *, strict: bool) -> tuple[list[str], int]:
    """What to say of pip-audit's answer, and the exit code.

    Args:
        packages: `name`, `version` and `vulns`, or `name` and `skip_reason`.
        why: what went wrong with pip-audit itself; empty for nothing.
        strict: not to have run is a failure.
    """
    asked = [package for package in packages if "skip_reason" not in package]
    weak = [(p["name"], p["version"], v["id"], v.get("fix_versions", [])) for p in asked for v in p["vulns"]]
    lines = [
        f"{name} {version}: {known} (mended in {', '.join(mended) or 'no release'})" for name, version, known, mended in weak
    ]
    if weak:
        return [*lines, f"packages: {len(weak)} known weaknesses in {len(asked)} of {len(packages)} packages asked about"], 1
    if not packages or len(asked) < ENOUGH * len(packages):
        told = why or f"only {len(asked)} of {len(packages)} packages could be asked about"
        return [f"packages: NOT RUN: {told}; it needs PyPI's own index"], int(strict)
    return [f"packages: no known weakness in {len(asked)} of {len(packages)} packages"], 0


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:3]))
