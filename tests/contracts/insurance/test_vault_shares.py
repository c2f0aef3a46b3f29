"""Vault: rounding in its favour, the inflation attack, and a share price that deposits and redemptions do not move."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.contracts.insurance.vault import Vault, VaultError, to_assets, to_assets_up, to_shares
from sim.kernel.fixedpoint import MICRO
from sim.kernel.ledger import InsufficientFunds, Ledger

OFFSET = 3


def open_vault(offset: int = OFFSET) -> tuple[Ledger, int, Vault, list[int]]:
    ledger = Ledger(institutions=16, people=0)
    usd = ledger.asset("USDs")
    account = ledger.open_account("vault", "protocol")
    owners = [ledger.open_account(f"owner{i}", "liquidity_providers") for i in range(3)]
    for owner in owners:
        ledger.mint(usd, owner, 10**12, "endowment")
    vault = Vault(ledger, usd, account, "P-S", lambda: ledger.balance(usd, account), offset)
    return ledger, usd, vault, owners


def test_first_share_costs_one_and_a_gain_raises_the_price() -> None:
    ledger, usd, vault, owners = open_vault()
    assert vault.deposit(owners[0], 100 * MICRO, "deposit") == 100 * MICRO * 10**OFFSET
    assert vault.share_price() == pytest.approx(1.0)
    ledger.mint(usd, vault.account, 10 * MICRO, "gift")
    assert vault.share_price() == pytest.approx(1.1)
    assert ledger.price(vault.share) == pytest.approx(0.0011)
    assert vault.redeem(owners[0], 50 * MICRO * 10**OFFSET, owners[1], "redeem") == 55 * MICRO - 1


def test_mint_charges_up_and_deposit_gives_down() -> None:
    ledger, usd, vault, owners = open_vault()
    vault.deposit(owners[0], 3 * MICRO, "deposit")
    ledger.mint(usd, vault.account, MICRO, "gift")
    shares = vault.preview_deposit(1_000_000)
    assert vault.mint(owners[1], shares, "mint") <= 1_000_000
    assert to_assets_up(shares, 10, 7, OFFSET) - to_assets(shares, 10, 7, OFFSET) in (0, 1)


@pytest.mark.parametrize("offset", [0, 3, 6])
def test_the_inflation_attack_costs_the_attacker_more_than_it_takes(offset: int) -> None:
    """The first depositor of one unit donates; the victim's deposit is meant to round to nothing."""
    ledger, usd, vault, (attacker, victim, _) = open_vault(offset)
    start = ledger.balance(usd, attacker)
    vault.deposit(attacker, 1, "deposit")
    ledger.transfer(usd, attacker, vault.account, 10**9, "donation")
    try:
        shares = vault.deposit(victim, 10**9, "deposit")
        lost = 10**9 - vault.preview_redeem(shares)
    except VaultError:  # rounds to nothing: refused, and nothing is lost
        lost = 0
    vault.redeem(attacker, ledger.balance(vault.share, attacker), attacker, "redeem")
    cost = start - ledger.balance(usd, attacker)
    assert cost > 0, "the attack does not pay"
    assert lost * 10**offset <= 2 * 10**9, "the victim loses at most what 10^offset virtual shares leave to rounding"
    assert cost >= lost


def test_what_buys_no_share_or_a_wiped_tranche_is_refused() -> None:
    ledger, usd, vault, owners = open_vault()
    vault.deposit(owners[0], 10**6, "deposit")
    ledger.mint(usd, vault.account, 10**11, "gift")
    with pytest.raises(VaultError):
        vault.deposit(owners[1], 1, "deposit")
    ledger.transfer(usd, vault.account, owners[2], ledger.balance(usd, vault.account), "loss")
    with pytest.raises(VaultError, match="wiped out"):
        vault.deposit(owners[1], 10**6, "deposit")
    assert ledger.balance(usd, owners[1]) == 10**12


def test_a_redemption_of_more_than_is_held_leaves_no_trace() -> None:
    ledger, usd, vault, owners = open_vault()
    shares = vault.deposit(owners[0], 10**6, "deposit")
    with pytest.raises(InsufficientFunds):
        vault.redeem(owners[0], shares + 1, owners[0], "redeem")
    assert ledger.balance(usd, vault.account) == 10**6
    assert vault.supply == shares


big = st.integers(0, 10**15)


@given(st.integers(1, 10**12), big, big, st.integers(0, 6))
def test_no_round_trip_gains(assets: int, supply: int, total: int, offset: int) -> None:
    shares = to_shares(assets, supply, total, offset)
    assert to_assets(shares, supply + shares, total + assets, offset) <= assets
    assert to_assets_up(shares, supply, total, offset) <= assets
    back = to_assets(shares, supply, total, offset)
    assert to_shares(back, supply, total, offset) <= shares


@given(st.integers(1, 10**12), big, big, st.integers(0, 6))
def test_those_who_stay_are_never_worse_off(assets: int, supply: int, total: int, offset: int) -> None:
    """Price (A+1)/(S+10^d) never falls, and what stays with them is worth less than one share."""
    shares = to_shares(assets, supply, total, offset)
    before = (total + 1, supply + 10**offset)
    after = (total + assets + 1, supply + shares + 10**offset)
    assert after[0] * before[1] >= before[0] * after[1]
    assert after[0] * before[1] - before[0] * after[1] < before[0]
    out = to_assets(shares, *(supply + shares, total + assets), offset)
    left = (total + assets - out + 1, supply + 10**offset)
    assert left[0] * after[1] >= after[0] * left[1]

