"""Voting: reports on the claims drawn, committed to in one transaction per operator and round, revealed in another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.agents.oracle_reports import form_reports, seal_reports
from sim.chain.mempool import Batch
from sim.contracts.claims.mechanism import Claims
from sim.contracts.claims.round import Round
from sim.contracts.oracle_committee.commitment import NO_COMMITMENT
from sim.contracts.oracle_committee.seats import NOBODY
from sim.kernel.draws import Decision
from sim.scenario.sections.oracles import OraclesSection

Influence = Callable[[Round, NDArray[np.int64], NDArray[np.bool_]], None]
"""May change the reports [n, k] (amounts, validity) on a round before they are committed to."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """The reports [n, k] that operators hold back until the reveal, with their salts and commitments."""

    amounts: NDArray[np.int64]
    valid: NDArray[np.bool_]
    salts: NDArray[np.uint64]
    commitments: NDArray[np.uint64]


class Ballots:
    """Reports of all operators, vectorised over claims and seats.

    Parameters
    ----------
    section: how operators err.
    reporting, salting: draws of reports and of salts.
    keys, wallets, copies: by operator: permanent key, account, whether it copies.
    claims: the contract. chain: where transactions go. records: the truth by claim id, or None.
    """

    def __init__(
        self,
        section: OraclesSection,
        reporting: Decision,
        salting: Decision,
        keys: NDArray[np.uint64],
        wallets: NDArray[np.int64],
        copies: NDArray[np.bool_],
        claims: Claims,
        chain: Any,
        records: Any | None,
    ) -> None:
        self.section = section
        self.reporting = reporting
        self.salting = salting
        self.keys = keys
        self.wallets = wallets
        self.copies = copies
        self.claims = claims
        self.chain = chain
        self.records = records
        self.follow = float(np.sqrt(section.error_correlation))
        self.influences: list[Influence] = []
        """Where bribes and threats attach: called in order on each round's reports, before they are committed to."""
        self._sealed: dict[int, Sealed] = {}
        self._gas = 0
        self._further_gas = 0

    def true_amounts(self, ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """What is truly due on claims, int64[n]: no more than was claimed; all of it where nobody keeps records."""
        claimed = self.claims.table["claimed"][ids]
        return claimed if self.records is None else np.minimum(self.records.true_amount(ids), claimed)

    def reports(
        self,
        ids: NDArray[np.int64],
        seats: NDArray[np.int32],
        accuracy: NDArray[np.float64],
        present: NDArray[np.bool_],
        day: int,
    ) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Amounts and validity [n, k] that the members of committees ``seats`` find."""
        table = self.claims.table
        amounts = np.zeros(seats.shape, dtype=np.int64)
        valid = np.zeros(seats.shape, dtype=np.bool_)
        form_reports(self.reporting.stream, day, table["key"][ids], seats, self.keys, accuracy, self.copies, present,
                     self.true_amounts(ids), table["claimed"][ids], self.follow, self.section.invalid_share,
                     self.section.amount_log_sd, amounts, valid)
        return amounts, valid

    def count(self, seats: NDArray[np.int32], present: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Votes of each operator present, int64[operators], in ``seats``."""
        votes = np.bincount((seats + 1).ravel(), minlength=self.keys.size + 1)[1:]
        return np.where(present, votes, 0)

    def take_gas(self) -> tuple[int, int]:
        """Base units of gas quoted for votes submitted since the last call, and what they would cost as further votes
        in transactions that are paid for anyway."""
        taken = self._gas, self._further_gas
        self._gas = self._further_gas = 0
        return taken

    def commit(
        self,
        rounds: list[Round],
        counts: list[NDArray[np.int64]],
        accuracy: NDArray[np.float64],
        present: NDArray[np.bool_],
        day: int,
    ) -> None:
        """Form and seal the reports on rounds opened today, and submit the commitments."""
        held = {round_.serial for round_ in self.claims.docket.rounds}
        self._sealed = {serial: sealed for serial, sealed in self._sealed.items() if serial in held}
        for round_ in rounds:
            amounts, valid = self.reports(round_.ids, round_.seats, accuracy, present, day)
            for influence in self.influences:
                influence(round_, amounts, valid)
            salts = np.empty(round_.seats.shape, dtype=np.uint64)
            commitments = np.empty(round_.seats.shape, dtype=np.uint64)
            seal_reports(self.salting.stream, day, round_.keys, round_.seats, self.keys, present, amounts, valid, salts,
                         commitments)
            self._sealed[round_.serial] = Sealed(amounts, valid, salts, commitments)

        def land(round_: Round, landed: NDArray[np.bool_]) -> None:
            self.claims.docket.commit(round_, landed, self._sealed[round_.serial].commitments)

        self._submit("commit", rounds, counts, self.claims.section.commit_gas_per_vote, land, rounds[0].commit_until)

    def reveal(self, rounds: list[Round], present: NDArray[np.bool_]) -> None:
        """Submit the reports whose commitments the contract holds."""
        counts = [self.count(np.where(round_.commitments != NO_COMMITMENT, round_.seats, np.int32(NOBODY)), present)
                  for round_ in rounds]

        def land(round_: Round, landed: NDArray[np.bool_]) -> None:
            sealed = self._sealed[round_.serial]
            self.claims.docket.reveal(round_, landed, sealed.amounts, sealed.valid, sealed.salts)

        self._submit("reveal", rounds, counts, self.claims.section.reveal_gas_per_vote, land, rounds[0].reveal_until)

    def _submit(
        self,
        kind: str,
        rounds: list[Round],
        counts: list[NDArray[np.int64]],
        gas_per_vote: int,
        land: Callable[[Round, NDArray[np.bool_]], None],
        until: int,
    ) -> None:
        """One transaction per operator and round, with all its votes; it pays no more gas than silence would cost."""
        votes = np.concatenate(counts)
        rows = votes.nonzero()[0]
        votes = votes[rows]
        round_of, numbers = np.divmod(rows, self.keys.size)

        def call(which: NDArray[np.int64], blocks: NDArray[np.int64]) -> None:
            theirs = round_of[which]
            for index in sorted(set(theirs.tolist())):
                landed = np.zeros(self.keys.size, dtype=np.bool_)
                landed[numbers[which[theirs == index]]] = True
                land(rounds[index], landed)

        limit = votes * (self.claims.at_stake()[numbers] + self.claims.reward())
        gas = self.chain.gas(kind) + (votes - 1) * gas_per_vote
        if fee := self.chain.fee(kind):
            unit = fee / self.chain.gas(kind)
            self._gas += int(np.minimum(gas * unit, limit).sum())
            self._further_gas += int(votes.sum() * gas_per_vote * unit)
        self.chain.submit(Batch(kind, self.wallets[numbers], call, max_fee=limit, keys=self.keys[numbers],
                                expires=until, gas=gas))
