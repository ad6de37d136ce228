"""The public function that corrects, and how a run of `trainers` becomes a comparison."""

from __future__ import annotations

import inspect
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Unpack

from auditor.config import Config, read_config
from auditor.layout import CONFIG_NAME, OWN_OUTPUT
from auditor.own import is_own, remember
from auditor.plan import Plan
from auditor.private import default_folder, keyed, user_key
from auditor.progress import Progress, Silent
from auditor.values.corrections import Comparison, RunVerdict
from auditor.values.errors import ConfigError
from auditor.values.image import Limits
from medaudit.keywords import FixOptions, Reading, read_keywords, target_of
from medaudit.pending import pending_lines
from medaudit.process import leave
from medaudit.results import FixResult
from medaudit.scanning import plan_of
from medaudit.words import path_of
from reports.compare import compare_results, differences
from reports.format import formats
from trainers import fix as job
from trainers.attempt import Order
from trainers.engine.crew import follow, follower, leading
from trainers.fix import Fixed
from trainers.second_scan import under_old_names
from trainers.strategy import strategy_classes, title

WORK = ".medaudit-work"
"""Beside the copy: decoded pictures and checkpoints of a run that has not ended."""
OF_STRATEGIES: tuple[str, ...] = ("from_run", "encoder", "network", "trust_program", "teacher_data", "key")
"""Options that are handed to the strategies as text."""
OF_SCANS: frozenset[str] = frozenset(Reading.__annotations__) | {"reviewed", "ocr"}
"""Options of the two scans."""


def fix(
    dataset: str | Path,
    output: str | Path = Path(OWN_OUTPUT, "fixed"),
    *,
    progress: Progress | None = None,
    **options: Unpack[FixOptions],
) -> FixResult:
    """Correct a dataset: a corrected copy in `output`, with reports that compare before and after.

    Args:
        dataset: a folder, a label table or an npz; only read.
        output: folder of the copy; an earlier copy there is replaced.
        progress: told how far it is.
        options: the words of `medaudit fix --help`: `strategy`, `trusted`, `evaluate`, `check=True` to write nothing,
            `seeds`, `device`, `budget`, ..., and the roles; what is not given comes from medaudit.toml beside the dataset.

    Of several processes (torchrun) the first corrects; the others train along and end here.

    Raises:
        DatasetError: the dataset cannot be opened.
        ConfigError: medaudit.toml or an option is wrong.
        MedauditError: the copy cannot be written there.
    """
    if follower():
        from trainers.engine.loop import train

        follow(train)
        raise SystemExit(leave(0))
    target, told = target_of(dataset, "fix"), read_keywords(options, FixOptions, "fix")
    plan = plan_of(target, {word: value for word, value in told.items() if word in OF_SCANS})
    order = order_for(
        plan.config,
        plan.file,
        strategies=told.get("strategy", ()),
        **{word: told.get(word) for word in ("trusted", "evaluate", "seeds", "device", "margin")},
        **{word: told[word] for word in ("unlabelled", "seed", "budget", "side", "force", "check") if word in told},
        options={word.replace("_", "-"): str(told[word]) for word in OF_STRATEGIES if word in told},
    )
    with leading():
        fixed, comparison = fixed_copy(order, plan, path_of(output), progress=progress or Silent())
    if comparison is not None:
        keep_own(path_of(output) / CONFIG_NAME)
    return FixResult.of(fixed, comparison, pending_lines(fixed))


def keep_own(file: Path, *, known: bool = True) -> None:
    """Remember that a copy's medaudit.toml is ours; where that cannot be kept, a later scan wants it by `--config`."""
    if known and file.is_file():
        with suppress(OSError):
            remember(file, default_folder(os.environ, Path.home()))


def undone(copy: Path, *, again: bool) -> str:
    """Take the corrections of a copy back, or apply those that were accepted; what was done, in words.

    Raises:
        MedauditError: it is no copy of ours, or it was changed.
    """
    from trainers.copying.undo import reapply, undo

    file, private = copy / CONFIG_NAME, default_folder(os.environ, Path.home())
    known = is_own(file, private)
    limits = read_config(file).limits_of() if known else Limits()  # what a stranger's file allows itself counts for nothing
    done = (reapply if again else undo)(copy, limits).told
    keep_own(file, known=known)
    return done


def order_for(
    config: Config,
    file: Path | None,
    *,
    strategies: Sequence[str],
    trusted: str | None,
    evaluate: str | None,
    seeds: int | None,
    device: str | None,
    margin: float | None,
    **more: Any,
) -> Order:
    """What is asked for: the options, and `[fix]` of medaudit.toml where there are none; its files lie beside it."""
    told = config.fix

    def beside(spec: str | None) -> str | None:
        there = spec is not None and file is not None and (file.parent / spec).is_file()
        return str(file.parent / str(spec)) if there and file is not None else spec

    return Order(
        strategies=tuple(strategies) or told.strategy or ("auto",),
        trusted=trusted if trusted is not None else beside(told.trusted),
        evaluate=evaluate if evaluate is not None else beside(told.evaluate),
        seeds=seeds if seeds is not None else told.seeds,
        device=device if device is not None else told.device,
        margin=margin if margin is not None else told.margin,
        **more,
    )


def fixed_copy(order: Order, plan: Plan, output: Path, *, progress: Progress) -> tuple[Fixed, Comparison | None]:
    """Run `fix` and give what is shown: no comparison with `--check`."""
    asked = f"{plan.target.resolve()}\x1f{order}".encode("utf-8", "surrogatepass")
    # Nobody else knows this name: unfinished work that lies in a folder which was sent is never taken up.
    work = output.parent / WORK / keyed(user_key() or b"", "work", asked)[:8].hex()
    try:
        fixed = job.fix(order, plan, output, work=work, render=report_files, progress=progress)
    finally:
        tidy(work, until=output.parent)
    return fixed, None if fixed.applied is None else comparison_of(fixed)


def tidy(folder: Path, *, until: Path) -> None:
    """Remove empty folders from `folder` up to and without `until`, and `until` itself where it is empty too and ours; what
    holds checkpoints stays for the next run."""
    for empty in (folder, *folder.parents):
        if empty == until and until.name != OWN_OUTPUT:
            break
        if empty.is_dir():
            if any(empty.iterdir()):
                break
            empty.rmdir()
        if empty == until:
            break


def report_files(fixed: Fixed) -> Mapping[str, bytes]:
    """The two scans, and the comparison as page and as data."""
    assert fixed.after is not None
    comparison = comparison_of(fixed)
    known = formats()
    return {
        **known["json"].render(fixed.corrected.before, "result-before.json"),
        **known["json"].render(fixed.after, "result-after.json"),
        **known["json"].render_comparison(comparison, "comparison.json"),
        **known["html"].render_comparison(comparison, "report.html"),
    }


def comparison_of(fixed: Fixed) -> Comparison:
    """Before and after, with what was tried and why."""
    assert fixed.after is not None
    assert fixed.applied is not None
    corrected, leading = fixed.corrected, fixed.leading
    verdict, summary = told(fixed)
    run = replace(fixed.after.run, seconds=round(fixed.after.run.seconds + corrected.before.run.seconds, 3))
    return compare_results(
        corrected.before,
        under_old_names(fixed.after, fixed.renamed),
        verdict=verdict,
        summary=summary,
        arms=fixed.arms,
        applied=[a.strategy.name for a in fixed.kept],
        chosen=leading.strategy.name if leading is not None else "",
        trust=corrected.trust.origin if corrected.trust is not None else "",
        changes=fixed.applied.changes,
        removed=fixed.removed,
        answers=() if corrected.answers is None else (corrected.answers,),
        configuration=fixed.configuration,
        thumbnails=fixed.thumbnails,
        pictures=fixed.pictures,
        notes=[
            *([corrected.bench.shown] if any(a.fits for a in corrected.attempts) else []),
            *corrected.reasons,
            *fixed.held,
            *fixed.applied.notes,
            *differences(corrected.before, fixed.after),
            *(f"not honoured of the dataset's own medaudit.toml: {key}" for key in corrected.before.gate.set_aside),
        ],
        looked=fixed.looked,
        absent=fixed.absent,
        run=run,
    )


def told(fixed: Fixed) -> tuple[RunVerdict | None, str]:
    """Verdict and sentence of the run; None leaves it to the findings of the two scans."""
    leading = fixed.leading
    if leading is not None and leading.evaluation is not None:
        if leading not in fixed.kept and leading.evaluation.verdict in ("improved", "not worse"):
            return "no change", f"Nothing was changed ({'; '.join(fixed.held)})."  # a gain of what no copy holds is none
        # the verdict stands above the sentence already
        return leading.evaluation.verdict, leading.evaluation.summary.removeprefix(f"{leading.evaluation.verdict}: ")
    if not fixed.corrected.attempts:
        return "no change", "The audit found nothing that a strategy corrects: no change is recommended."
    if not fixed.corrected.chosen:
        skipped = "; ".join(f"{a.strategy.name}: {a.skipped}" for a in fixed.corrected.attempts if a.skipped)
        reason = skipped or "; ".join(fixed.corrected.reasons)
        return "no change", f"Nothing was changed ({reason})."
    return None, ""


def strategy_lines() -> list[str]:
    """What `medaudit strategies` prints."""
    return [f"{kind.name:12} {title(kind)}" for kind in strategy_classes()]


def explained(name: str) -> str:
    """Documentation of a strategy.

    Raises:
        ConfigError: there is none of that name.
    """
    kind = next((k for k in strategy_classes() if k.name == name.lower()), None)
    if kind is None:
        raise ConfigError(
            f"neither a check nor a strategy is called {name!r}: `medaudit rules` and `medaudit strategies` list them"
        )
    return f"{kind.name} (strategy)\n\n{inspect.getdoc(kind)}"
