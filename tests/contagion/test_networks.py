"""Random networks: links, balance sheets, reconstruction, and files of debts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sim.contagion.debts import BadDebts
from sim.contagion.network_file import read_network
from sim.contagion.networks import TOPOLOGIES, balance_sheets, erdos_renyi, maximum_entropy
from sim.kernel.draws import Decision, Draws


@pytest.fixture
def draw() -> Decision:
    return Draws(7).decision("links")


@pytest.mark.parametrize("name", sorted(TOPOLOGIES))
@pytest.mark.parametrize("degree", [0.5, 3.0, 9.0])
def test_links_are_distinct_without_loops_and_of_the_degree_asked_for(
    name: str, degree: float, draw: Decision,
) -> None:
    count = 60 if name == "complete" else 1000
    debtor, creditor = TOPOLOGIES[name](count, degree, draw, 0)
    assert (debtor != creditor).all()
    assert np.unique(debtor * count + creditor).size == debtor.size
    assert min(debtor.min(), creditor.min()) >= 0
    assert max(debtor.max(), creditor.max()) < count
    expected = {"complete": count - 1.0, "ring": max(1.0, round(degree))}.get(name, degree)
    assert debtor.size / count == pytest.approx(expected, abs=4 * np.sqrt(expected / count) + 1e-9)


@pytest.mark.parametrize("name", ["erdos_renyi", "scale_free", "core_periphery"])
def test_a_network_is_a_function_of_its_number(name: str, draw: Decision) -> None:
    first, again, other = (TOPOLOGIES[name](200, 4.0, draw, number) for number in (3, 3, 4))
    assert np.array_equal(first, again)
    assert not np.array_equal(first[0], other[0])


def test_degrees_of_random_links_are_poisson_both_ways(draw: Decision) -> None:
    count, degree = 4000, 5.0
    for ends in erdos_renyi(count, degree, draw, 1):
        found = np.bincount(ends, minlength=count)
        assert found.mean() == pytest.approx(degree, abs=0.15)
        assert found.var() == pytest.approx(degree, rel=0.1)


def test_hubs_stand_out_where_they_should(draw: Decision) -> None:
    most = {name: np.bincount(TOPOLOGIES[name](1000, 4.0, draw, 0)[1]).max() for name in TOPOLOGIES
            if name != "complete"}
    assert most["ring"] == 4
    assert most["erdos_renyi"] < 20
    assert most["scale_free"] > 60
    assert most["core_periphery"] > 25


def test_the_periphery_of_a_core_owes_the_core_alone(draw: Decision) -> None:
    debtor, creditor = TOPOLOGIES["core_periphery"](500, 5.0, draw, 2)
    assert ((debtor < 50) | (creditor < 50)).all()
    assert ((debtor >= 50) & (creditor < 50)).any()
    assert ((debtor < 50) & (creditor >= 50)).any()


def test_balance_sheets_close(draw: Decision) -> None:
    network = balance_sheets(erdos_renyi(300, 3.0, draw, 0), 300, 0.2, 0.04)
    lenders = np.bincount(network.creditor, minlength=300) > 0
    assert network.lent == pytest.approx(np.where(lenders, 0.2, 0.0))
    assert network.outside + network.lent == pytest.approx(network.borrowed + network.deposits + network.capital)
    usual = network.borrowed <= 0.9
    assert (network.outside + network.lent)[usual] == pytest.approx(1.0)


def test_maximum_entropy_meets_both_totals_and_leaves_the_diagonal_empty() -> None:
    rng = np.random.default_rng(2)
    truth = rng.random((9, 9)) * (1.0 - np.eye(9))
    owed = maximum_entropy(truth.sum(axis=0), truth.sum(axis=1))
    assert owed.sum(axis=0) == pytest.approx(truth.sum(axis=0))
    assert owed.sum(axis=1) == pytest.approx(truth.sum(axis=1))
    assert not owed.diagonal().any()
    with pytest.raises(BadDebts, match="one sum"):
        maximum_entropy(np.ones(3), np.full(3, 2.0))
    with pytest.raises(BadDebts, match="more than the others"):
        maximum_entropy(np.array([9.0, 1.0, 0.0]), np.array([8.0, 1.0, 1.0]))


# Files ----------------------------------------------------------------------------------------------------------


def written(folder: Path, debts: str, institutions: str | None = None) -> tuple[Path, Path | None]:
    (folder / "debts.csv").write_text(debts, encoding="utf-8")
    if institutions is None:
        return folder / "debts.csv", None
    (folder / "sheets.csv").write_text(institutions, encoding="utf-8")
    return folder / "debts.csv", folder / "sheets.csv"


def test_a_network_is_read_with_its_sheets(tmp_path: Path) -> None:
    network = read_network(*written(tmp_path, "debtor,creditor,amount\nB,A,10\nA,C,4\n",
                                    "institution,outside,capital\nA,20,3\nD,1,0.5\n"))
    assert network.names == ("A", "B", "C", "D")
    assert network.lent.tolist() == [10, 0, 4, 0]
    assert network.borrowed.tolist() == [4, 10, 0, 0]
    assert network.outside[[0, 3]].tolist() == [20, 1]
    assert network.capital[[0, 3]].tolist() == [3, 0.5]
    assert network.deposits[0] == pytest.approx(20 + 10 - 4 - 3)


def test_unknown_sheets_follow_the_shares_of_total_assets(tmp_path: Path) -> None:
    network = read_network(*written(tmp_path, "debtor,creditor,amount\nB,A,10\nA,C,4\n"))
    assert network.outside[0] + 10 == pytest.approx(50)  # 20 % lent
    assert network.capital[0] == pytest.approx(2.0)  # 4 %
    assert (network.outside + network.lent >= network.borrowed + network.capital - 1e-9).all()


@pytest.mark.parametrize(("debts", "sheets", "sentence"), [
    ("from,to,amount\na,b,1\n", None, "no column 'debtor'"),
    ("debtor,creditor,amount\na,a,1\n", None, "2: 'a' cannot owe itself"),
    ("debtor,creditor,amount\na,b,1\na,b,-1\n", None, "3: amount '-1'"),
    ("debtor,creditor,amount\na,b,much\n", None, "2: amount 'much'"),
    ("debtor,creditor,amount\n,b,1\n", None, "2: the debtor has no name"),
    ("debtor,creditor,amount\n", None, "holds no debt"),
    ("debtor,creditor,amount\na,b\n", None, "2: amount ''"),
    ("debtor,creditor,amount\na,b,1\n", "institution,outside,capital\na,1,1\na,1,1\n", "3: 'a' stands there twice"),
])
def test_a_bad_file_is_named_with_its_line(tmp_path: Path, debts: str, sheets: str | None, sentence: str) -> None:
    with pytest.raises(BadDebts, match=sentence):
        read_network(*written(tmp_path, debts, sheets))
