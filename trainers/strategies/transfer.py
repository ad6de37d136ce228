"""transfer: an encoder that learnt from other pictures is borrowed, probed with a new head, then fine-tuned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from auditor.values.corrections import Proposal
from auditor.values.errors import ConfigError
from trainers.contamination import UNCHECKED, check_unseen
from trainers.strategy import Answers, Case, NotApplicable, Strategy
from trainers.values.recipe import Normalisation, Recipe, Trained

NO_SOURCE = "there is nothing to borrow from: give --from-run COPY (of another dataset's fix) or --encoder FILE --network NAME"


@dataclass(frozen=True, kw_only=True)
class Transfer(Strategy):
    """An encoder that learnt from other pictures is borrowed: linear probe, then fine-tuning.

    ## What it does

    Changes no label. Takes the encoder of another network: of another dataset's `medaudit fix` (`--from-run`, its `model/`),
    or of a file (`--encoder weights.safetensors` with `--network NAME`, or a `.pt2` program with `--trust-program`). Trains a
    new head on it while the encoder is frozen (linear probe), then lets the encoder learn too (fine-tuning). Both phases
    together have as many epochs as plain training from random weights, which it is compared with. Pictures are normalised by
    their own dataset.

    With `--teacher-data hashes.parquet --key FILE` the pictures the encoder has learnt from are looked for among the records
    that evaluate; where one is found nothing is trained, because the comparison would flatter.

    ## When

    There are few labelled records, and a network that learnt from many similar pictures (same modality, same organ, other
    task). A source of few or narrow pictures may gain nothing or do harm: the comparison says so. Sources that were trained
    with augmentation transfer better than others.

    ## Options

    * `probe` (0.3): share of the epochs in which the encoder is frozen; 1 never thaws it.
    * `rate` (1): of the fine-tuning, as a share of that of plain training; less keeps more of what was borrowed.
    * `frozen` (0): so many of the first blocks of the encoder stay frozen in fine-tuning too.

    ## References

    * Kumar, Raghunathan, Jones, Ma & Liang: Fine-tuning can distort pretrained features and underperform out-of-distribution
      (linear probe, then fine-tuning). ICLR 2022.
    * Yosinski, Clune, Bengio & Lipson: How transferable are features in deep neural networks? NeurIPS 2014.
    """

    name: ClassVar[str] = "transfer"
    answers: ClassVar[Answers] = "labels"

    probe: float = 0.3
    rate: float = 1.0
    frozen: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.probe <= 1 or not self.rate > 0:
            raise ConfigError(f"[strategies.transfer]: probe {self.probe} must be 0 to 1, rate {self.rate} above 0")

    def propose(self, case: Case) -> Proposal:
        """Nothing to change; the network is what it gives.

        Raises:
            NotApplicable: there is no source, or it has seen the evaluation records.
            ConfigError: the source is not what it should be.
        """
        run, encoder = case.options.get("from-run"), case.options.get("encoder")
        if run is None and encoder is None:
            raise NotApplicable(NO_SOURCE)
        from trainers.engine.encoder_file import UNTRUSTED
        from trainers.engine.model_file import DESCRIPTION
        from trainers.engine.models import NETWORKS, known_network

        if run is not None and encoder is not None:
            raise ConfigError("--from-run and --encoder: give one of them")
        source = Path(run) if run is not None else Path(encoder or "")
        if run is not None and not (source / "model" / DESCRIPTION).is_file():
            raise ConfigError(f"--from-run {source.name}: no network in it (model/{DESCRIPTION}); give a copy that fix wrote")
        if encoder is not None and not source.is_file():
            raise ConfigError(f"--encoder {source.name}: there is no such file")
        if encoder is not None and source.suffix != ".pt2":
            if case.options.get("network") is None:
                raise ConfigError(f"--encoder {source.name}: name its network with --network: one of {', '.join(NETWORKS)}")
            known_network(case.options["network"])
        if encoder is not None and source.suffix == ".pt2" and not trusts_programs(case):
            raise ConfigError(UNTRUSTED.format(name=source.name))
        checked = check_unseen(case)
        return Proposal(
            strategy=self.name,
            summary=f"no label is changed; the network began with the encoder of {source.name}",
            notes=() if checked else (UNCHECKED,),
        )

    def fit(self, case: Case, proposal: Proposal, seed: int) -> Trained:
        """Probe, then fine-tuning."""
        bench = case.bench
        examples = bench.examples(proposal)
        start = self.borrowed(case, seed, Normalisation.of(bench.pictures, examples.rows))
        plain = start.recipe
        probing = max(0, min(plain.epochs, round(self.probe * plain.epochs)))
        found = start
        if probing:
            recipe = replace(plain, epochs=probing, frozen=-1)
            found = bench.train(examples, seed=seed, name=f"{self.name}-{seed}-probe", recipe=recipe, start=start)
        if probing == plain.epochs:
            return found
        recipe = replace(plain, epochs=plain.epochs - probing, rate=plain.rate * self.rate, frozen=self.frozen)
        return bench.train(examples, seed=seed, name=f"{self.name}-{seed}", recipe=recipe, start=found)

    def conclude(self, case: Case, proposal: Proposal, fits: Sequence[Trained]) -> Proposal:
        """Whether the comparison is one of weights alone."""
        from trainers.engine.encoder_file import Program, words_on

        encoder = case.options.get("encoder", "")
        if encoder.endswith(".safetensors"):
            told = words_on(Path(encoder), case.bench.task.channels)
            proposal = replace(proposal, notes=(*proposal.notes, *told))
        if isinstance(fits[0].network.get_submodule("encoder"), Program):
            note = "the network stands on an exported program (.pt2) and is not saved; plain training has its own network"
            return replace(proposal, notes=(*proposal.notes, note))
        plain, ours = case.bench.recipe, fits[0].recipe
        if (plain.network, plain.width) == (ours.network, ours.width):
            return proposal
        note = f"the borrowed network is a {ours.network}, plain training has a {plain.network}: not the weights alone differ"
        return replace(proposal, notes=(*proposal.notes, note))

    def borrowed(self, case: Case, seed: int, normalisation: Normalisation) -> Trained:
        """The borrowed encoder with a random head for this task."""
        from trainers.engine.encoder_file import load_encoder
        from trainers.engine.model_file import WEIGHTS, load_model
        from trainers.engine.models import network_named
        from trainers.engine.network import Network
        from trainers.engine.randomness import private_randomness

        bench, run = case.bench, case.options.get("from-run")
        task, recipe, shape = bench.task, bench.recipe, bench.task.shape
        if run is not None:
            path = Path(run) / "model" / WEIGHTS
            source = load_model(path.parent, trust_program=trusts_programs(case))
            if source.task.dims != task.dims or source.task.dense != task.dense:
                raise NotApplicable(
                    f"the network of --from-run learnt a task of kind {source.task.kind} in {source.task.dims} dimensions; "
                    f"this is one of kind {task.kind} in {task.dims}"
                )
            # how many stages a network has depends on the size of the pictures that it was made for
            shape = source.task.shape
            recipe = replace(recipe, network=source.recipe.network, width=source.recipe.width)
        else:
            path = Path(case.options["encoder"])
            name = case.options.get("network")
            recipe = recipe if name is None else replace(recipe, network=name, width=width_of(recipe, name))
        with private_randomness(seed, bench.device):
            network: Network = network_named(recipe.network, replace(task, shape=shape), width=recipe.width)
            network = load_encoder(network, path, task, trust_program=trusts_programs(case))
        return Trained(network=network.eval(), task=task, recipe=recipe, normalisation=normalisation, seed=seed)


def trusts_programs(case: Case) -> bool:
    """The user said that an encoder that is a program may run."""
    return case.options.get("trust-program") == str(True)


def width_of(recipe: Recipe, network: str) -> int:
    """The width of the plain recipe, where the network is the same; else the network's own habit."""
    return recipe.width if network == recipe.network else 0
