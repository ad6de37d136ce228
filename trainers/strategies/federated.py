"""federated: a network learnt at several sites in rounds, of which no picture leaves its site."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from auditor.values.corrections import Proposal
from auditor.values.errors import ConfigError
from trainers.strategy import Answers, Case, NotApplicable, Strategy
from trainers.values.effort import Effort
from trainers.values.pictures import Examples
from trainers.values.recipe import Epoch, Normalisation, Trained

if TYPE_CHECKING:
    from torch import nn

    from trainers.engine.bench import Bench

LEAST = 8
"""A site with fewer training records has too few for a batch."""


@dataclass(frozen=True, kw_only=True)
class Federated(Strategy):
    """One network learnt at several sites in rounds; pictures stay where they are (simulated on this machine).

    ## What it does

    Changes no label and moves no record. Trains as hospitals would that may not pool their pictures: in each round every site
    goes on from the shared network with its own records for `local_epochs`, and the shared network becomes the mean of
    theirs, each counted by its records (FedAvg). Statistics of batches stay at their site while it trains. With `mu` above 0
    a site is held near the shared network (FedProx). All sites together see as many samples as plain training on the pooled
    records, which it is compared with; the largest site alone stands beside it.

    ## When

    Before a federation is built, on data that stand in one place for once (or on a public set with its sites): how much would
    be lost against pooling, and would the largest site have done as well alone. Sites come from the column that is the site
    (`--site COLUMN`). It says nothing of privacy: weights that are sent can tell of records.

    ## Options

    * `local_epochs` (1): passes over a site's records in one round.
    * `mu` (0): how strongly a site is held near the shared network; .01 to 1 where sites differ.

    ## References

    * McMahan, Moore, Ramage, Hampson & Agüera y Arcas: Communication-efficient learning of deep networks from decentralized
      data. AISTATS 2017.
    * Li, Sahu, Zaheer, Sanjabi, Talwalkar & Smith: Federated optimization in heterogeneous networks (FedProx). MLSys 2020.
    * Li, Jiang, Zhang, Kamp & Dou: FedBN: federated learning on non-IID features via local batch normalization. ICLR 2021.
    """

    name: ClassVar[str] = "federated"
    answers: ClassVar[Answers] = "labels"

    local_epochs: int = 1
    mu: float = 0.0

    def __post_init__(self) -> None:
        if self.local_epochs < 1 or not 0 <= self.mu < np.inf:
            raise ConfigError(
                f"[strategies.federated]: local_epochs {self.local_epochs} must be 1 or more, mu {self.mu} 0 or more"
            )

    def propose(self, case: Case) -> Proposal:
        """Nothing to change; the network is what it gives.

        Raises:
            NotApplicable: fewer than two sites have records to learn from.
        """
        sites = case.dataset.records["site"][case.trust.training]
        counts = sites.value_counts()
        enough = counts[counts >= LEAST]
        if len(enough) < 2:
            raise NotApplicable(
                f"fewer than two sites have {LEAST} training records each; name the column of the site with --site COLUMN"
            )
        left = len(sites) - int(enough.sum())
        told = (f"{left:,} training records are of no site, or of one with fewer than {LEAST}: left out",) if left else ()
        return Proposal(
            strategy=self.name, notes=told,
            summary=f"no label is changed; one network was learnt at {len(enough)} sites in rounds, without pooling",
        )  # fmt: skip

    def fit(self, case: Case, proposal: Proposal, seed: int) -> Trained:
        """All rounds."""
        parts = self.parts(case, case.bench.examples(proposal))
        bench, planned = case.bench, case.bench.recipe
        shared = first(bench, parts, seed)
        own: dict[str, Trained] = {}
        history: list[Epoch] = []
        sizes = [float(part.weights.sum()) for part in parts.values()]
        for offset in range(0, planned.epochs, self.local_epochs):
            if offset and bench.out_of_time:
                break
            epochs = min(self.local_epochs, planned.epochs - offset)
            recipe = replace(planned, epochs=epochs, offset=offset, planned=planned.epochs, proximal=self.mu)
            for number, (site, part) in enumerate(parts.items(), start=1):
                start = replace(shared, network=_for(shared, own.get(site)))
                name = f"{self.name}-{seed}-site{number}-epoch{offset + 1}"
                own[site] = bench.train(part, seed=seed, name=name, recipe=recipe, start=start, validation=None)
            shared = replace(shared, network=_merged(list(own.values()), sizes))
            history += _rounds(list(own.values()), sizes)
        self.largest_alone(case, parts, seed)  # here, so that its samples are counted
        return replace(
            shared, recipe=planned, history=tuple(history), seconds=sum(epoch.seconds for epoch in history),
            records=sum(map(len, parts.values())), complete=len(history) == planned.epochs,
        )  # fmt: skip

    def parts(self, case: Case, examples: Examples) -> dict[str, Examples]:
        """The examples of each site that has enough of them, in order of the sites' names."""
        column = case.bench.view.dataset.records["site"]
        rows = examples.rows if examples.rows.ndim == 1 else examples.rows[:, 0]
        sites = column.iloc[rows].astype("string").fillna("").to_numpy()
        names, counts = np.unique(sites, return_counts=True)
        return {
            str(name): examples.take(sites == name)
            for name, count in zip(names, counts, strict=True)
            if name and count >= LEAST
        }

    def effort(self, case: Case) -> Effort:
        """Plain training's, spread over sites, and the largest site alone."""
        parts = self.parts(case, case.bench.examples())
        return Effort(plain=1 + max(map(len, parts.values()), default=0) / max(1, sum(map(len, parts.values()))))

    def conclude(self, case: Case, proposal: Proposal, fits: Sequence[Trained]) -> Proposal:
        """How many sites, rounds and numbers were sent."""
        from trainers.engine.network import parameters

        sizes = sorted(map(len, self.parts(case, case.bench.examples(proposal)).values()), reverse=True)
        rounds = -(-len(fits[0].history) // self.local_epochs)
        sent = 2 * rounds * len(sizes) * parameters(fits[0].network)
        return replace(
            proposal,
            metrics={"sites": len(sizes), "rounds": rounds, "records_of_largest": sizes[0], "records_of_smallest": sizes[-1],
                     "numbers_sent": sent},
        )  # fmt: skip

    def beside(self, case: Case, fit: Trained) -> Mapping[str, Sequence[Trained]]:
        """The largest site alone, with as many epochs."""
        return {"the largest site alone": [self.largest_alone(case, self.parts(case, case.bench.examples()), fit.seed)]}

    def largest_alone(self, case: Case, parts: Mapping[str, Examples], seed: int) -> Trained:
        """A network of the largest site's records, with as many epochs; asked for again, it comes from its checkpoint."""
        largest = max(parts, key=lambda site: len(parts[site]))
        return case.bench.train(parts[largest], seed=seed, name=f"{self.name}-{seed}-alone", validation=None)


def first(bench: Bench, parts: Mapping[str, Examples], seed: int) -> Trained:
    """The network that all sites begin with: random weights, and the mean and deviation of all their pixels."""
    from trainers.engine.models import first_network
    from trainers.engine.randomness import private_randomness

    rows = np.concatenate([part.rows.ravel() for part in parts.values()])
    with private_randomness(seed, bench.device):
        network = first_network(bench.task, bench.recipe, None)
    return Trained(
        network=network.eval(), task=bench.task, recipe=bench.recipe, seed=seed,
        normalisation=Normalisation.of(bench.pictures, rows),
    )  # fmt: skip


def _for(shared: Trained, own: Trained | None) -> nn.Module:
    """What a site goes on from: the shared weights, its own statistics."""
    from trainers.engine.merging import with_statistics_of

    return shared.network if own is None else with_statistics_of(shared.network, own.network)


def _merged(fits: Sequence[Trained], sizes: Sequence[float]) -> nn.Module:
    from trainers.engine.merging import merged

    return merged([fit.network for fit in fits], sizes)


def _rounds(fits: Sequence[Trained], sizes: Sequence[float]) -> list[Epoch]:
    """The epochs of one round: mean loss over all records, seconds of all sites."""
    return [
        Epoch(
            loss=float(np.average([epoch.loss for epoch in epochs], weights=sizes)), score=None,
            seconds=sum(epoch.seconds for epoch in epochs),
        )
        for epochs in zip(*(fit.history for fit in fits), strict=True)
    ]  # fmt: skip
