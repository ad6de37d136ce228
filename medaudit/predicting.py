"""`medaudit predict`, and the networks of `scan --predict` and `--encoder`: between the command line and `trainers`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from auditor.plan import Plan
from auditor.progress import Progress
from auditor.scan import read_dataset
from auditor.stages.extract import pass_of
from auditor.values.dataset import Dataset
from auditor.values.errors import ConfigError
from trainers.decoding.model_input import Workplace
from trainers.predicting.predict_files import check_output, model_of, predict_files
from trainers.predicting.predictor import encoder_predictor, network_predictor

KINDS = ("cnn",)


def predictor_of(
    plan: Plan,
    *,
    kind: str | None,
    encoder: Path | None,
    network: str | None,
    device: str | None,
    progress: Progress,
    given: bool,
    trust_program: bool = False,
) -> Callable[[Dataset], Dataset] | None:
    """What predicts for a scan in the place of the built-in probe; None = the probe.

    Args:
        given: files of predictions were named too.
        trust_program: an encoder that is a program may be run.

    Raises:
        ConfigError: the options do not go together.
    """
    if kind is not None and kind not in KINDS:
        raise ConfigError(f"--predict {kind}: {', '.join(KINDS)} is what can be trained for a scan")
    if kind is not None and encoder is not None:
        raise ConfigError("--predict and --encoder: give one of them")
    if network is not None and encoder is None:
        raise ConfigError("--network names the network of --encoder: give its file too")
    if trust_program and encoder is None:
        raise ConfigError("--trust-program lets the program of --encoder run: give its file too")
    if kind is None and encoder is None:
        if device is not None:
            raise ConfigError("--device is for --predict and --encoder: the built-in probe runs on the CPU")
        return None
    if given:
        raise ConfigError("--predictions are there already: leave --predict and --encoder out")
    place, seed = replace(workplace(plan, device, progress), trust_program=trust_program), plan.config.scan.seed
    if encoder is None:
        return network_predictor(place, seed=seed)
    if not encoder.is_file():
        raise ConfigError(f"--encoder {encoder}: there is no such file")
    return encoder_predictor(place, encoder, network, seed=seed)


def workplace(plan: Plan, device: str | None, progress: Progress) -> Workplace:
    """Files are read within the limits of the scan.

    Raises:
        ConfigError: the device is not there.
    """
    from trainers.engine.device import device_named

    how = pass_of(plan)
    device_named(device or "auto")
    return Workplace(
        device=device or "auto", scratch=plan.cache, limits=how.limits, workers=how.workers, progress=progress
    )  # fmt: skip


def predicted(
    model: Path,
    plan: Plan,
    output: Path,
    device: str | None,
    progress: Progress,
    *,
    trust_program: bool = False,
) -> list[str]:
    """Predict a dataset with a saved network, write the file or folder, and say so.

    Args:
        trust_program: a network that is code may run.

    Raises:
        ConfigError: there is no network, or it does not fit.
        DatasetError: the dataset cannot be opened.
    """
    trained = model_of(model, trust_program=trust_program)
    check_output(trained, output)
    place = workplace(plan, device, progress)
    written = predict_files(trained, read_dataset(plan, progress=progress), output, place)
    missing = written.records - written.predicted
    lines = [
        f"{output} written: predictions of {written.predicted:,} records"
        + (f"; {missing:,} could not be read and have none" if missing else "")
    ]
    lines += written.notes
    if written.unknown:
        lines.append(f"{len(written.unknown)} classes of the dataset are unknown to the network, so `scan` cannot use the file")
    elif written.classes and output.suffix.lower() == ".npy":
        lines.append(f"columns: {','.join(written.classes)}")
    return lines
