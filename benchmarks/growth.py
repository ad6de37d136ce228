"""How the checks of a table grow with its rows: processor seconds and memory of a whole scan, and of its slowest checks.

    python -m benchmarks.growth [--rows 1000,10000,100000,1000000] [--write]

A label table without pictures (`benchmarks.start.label_table`): patients with several images, a label, a split, a site and two
fields. Each size is scanned in a process of its own. `--write` puts the table into docs/performance.md, between its marks.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.ratios import HOME, own_environment
from benchmarks.start import label_table

PAGE = HOME / "docs" / "performance.md"
BEGIN, END = "<!-- growth -->\n", "<!-- /growth -->\n"
SLOWEST = 4


def measured(rows: int, private: Path) -> tuple[float, float, float, str]:
    """Processor seconds, clock, the largest process in MiB, and the slowest checks in words."""
    table, result = label_table(private / f"{rows}.csv", rows), private / "result.json"
    command = [sys.executable, "-m", "medaudit", "scan", str(table), "--no-cache", "-q", "-o", str(result)]
    process = subprocess.Popen(command, env=own_environment(private), stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 1, 3):
        raise SystemExit(f"{rows:,} rows ended with {process.returncode}")
    run = json.loads(result.read_text("utf-8"))["run"]
    checks = sorted(run["check_seconds"].items(), key=lambda item: -item[1])[:SLOWEST]
    return (
        used.ru_utime + used.ru_stime, run["seconds"], used.ru_maxrss / 1024,
        ", ".join(f"{code} {seconds:.1f}" for code, seconds in checks),
    )  # fmt: skip


def main() -> int:
    """Run and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rows", default="1000,10000,100000,1000000")
    options.add_argument("--write", action="store_true")
    chosen = options.parse_args()
    lines = [
        "| rows | processor seconds | per 1,000 rows | clock | largest process, MiB | slowest checks, seconds of the clock |",
        "|---:|---:|---:|---:|---:|---|",
    ]
    with tempfile.TemporaryDirectory() as name:
        for rows in (int(text) for text in chosen.rows.split(",")):
            seconds, clock, memory, checks = measured(rows, Path(name))
            lines.append(f"| {rows:,} | {seconds:.1f} | {1000 * seconds / rows:.2f} | {clock:.1f} | {memory:,.0f} | {checks} |")
            print(lines[-1], flush=True)
    if chosen.write:
        text = PAGE.read_text("utf-8")
        head, rest = text.split(BEGIN)
        PAGE.write_text(head + BEGIN + "\n".join(lines) + "\n" + END + rest.split(END)[1], "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
