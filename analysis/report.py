"""One self-contained HTML page of a run that a person can mail.

Question, verdict on each expectation, key figures, pictures with a sentence on what to see, parameters that the
scenario sets, how to reproduce. Pictures are inline SVG; all text from the scenario is escaped.
"""

from __future__ import annotations

import html
import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from analysis.load import Run, load_run
from analysis.plots import flows, lines, people, solvency
from analysis.plots.style import house_style, money, new_axes, percent

REPORT = "report.html"

MEPS_2016 = {"1": 0.219, "5": 0.50, "10": 0.66, "50": 0.972}
"""AHRQ Statistical Brief 521: shares of spending of the US civilian population, 2016."""

STYLE = (Path(__file__).parent / "report.css").read_text(encoding="utf-8")

KEY_FIGURES: tuple[tuple[str, str, Callable[[float], str]], ...] = (
    ("insurance.incurred_loss_ratio", "incurred loss ratio, all pools", lambda v: f"{v:.3f}"),
    ("insurance.defaults", "pools that defaulted", lambda v: f"{v:.0f}"),
    ("insurance.unpaid_claims", "claims left unpaid, USD", money),
    ("claims.delay_p50_days", "median days, care to payment", lambda v: f"{v:.1f}"),
    ("claims.delay_p95_days", "95th percentile of days to payment", lambda v: f"{v:.1f}"),
    ("patients.mean_annual_spending", "spending per person and year, USD", money),
    ("patients.uninsured_rate", "mean share without cover", percent),
    ("liquidity_providers.yield", "yield of liquidity providers a year", percent),
    ("governance.executed", "proposals executed", lambda v: f"{v:.0f}"),
    ("research.grants_paid", "research grants paid, USD", money),
)


def figure_svg(draw: Callable[[Any], Any], width: float = 7.0, height: float = 3.2) -> str:
    """The picture that ``draw(axes)`` makes, as inline SVG text."""
    with house_style():
        figure, axes = new_axes(width, height)
        draw(axes)
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    return text[text.index("<svg"):]


class Page:
    """Collects the report's figures, numbering ids so that SVGs do not clash."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.count = 0

    def add(self, draw: Callable[[Any], Any], caption: str, wide: bool = False, height: float = 3.2) -> None:
        """Append one figure with its caption."""
        svg = figure_svg(draw, 12.0 if wide else 7.0, height)
        self.count += 1
        prefix = f"f{self.count}-"
        svg = svg.replace('id="', f'id="{prefix}').replace('href="#', f'href="#{prefix}').replace(
            "url(#", f"url(#{prefix}")
        kind = ' class="wide"' if wide else ""
        self.parts.append(f"<figure{kind}>{svg}<figcaption>{html.escape(caption)}</figcaption></figure>")


def solvency_figures(page: Page, run: Run) -> None:
    """Capital, MCR %, premiums against claims, liquidity flows."""
    capital, required = run.by_institution("insurance.capital"), run.by_institution("insurance.required_capital")
    if capital is not None:
        page.add(lambda axes: solvency.capital(axes, capital, required),
                 "What the pools own beyond their reserves, and what their capital rule asks for.")
    ratio = run.by_institution("insurance.mcr_ratio")
    if ratio is not None:
        page.add(lambda axes: solvency.mcr_percent(axes, ratio),
                 "Below the gate no withdrawal is completed.")
    if run.by_institution("insurance.earned_premium") is not None:
        page.add(lambda axes: solvency.premiums_against_claims(axes, run),
                 "Premium earned against claims as incurred (reported and reserved) and as paid.")
    page_lines(page, run, [("liquidity_providers.deposits", "deposits"),
                           ("liquidity_providers.requests", "withdrawals requested"),
                           ("liquidity_providers.withdrawals", "withdrawals paid")],
               "Liquidity provider flows", "USD a day", money, 30,
               "Runs show in requests before they show in completed withdrawals.")


def page_lines(page: Page, run: Run, names: list[tuple[str, str]], title: str, unit: str,
               formatter: Callable[[float, object], str] | None, window: int, caption: str,
               from_zero: bool = True) -> None:
    """Add a line figure if the run has any of its series."""
    present = [(name, label) for name, label in names if run.series(name) is not None]
    if present:
        page.add(lambda axes: lines.series(axes, run, present, title, unit, formatter, window, from_zero), caption)


def market_figures(page: Page, run: Run) -> None:
    """Claims delay, token price and depth, fees."""
    page_lines(page, run, [("claims.delay_p50_days", "median"), ("claims.delay_p95_days", "95th percentile")],
               "Delay from care to payment", "days", None, 7, "Of the claims paid that day.")
    page_lines(page, run, [("amm.hlt_price", "pool price"), ("reference_price.hlt_external", "external venue"),
                           ("health_token.fundamental", "fundamental")],
               "Health token price", "USD", None, 1, "Arbitrage keeps the pool within fees of the outside venue.",
               from_zero=False)
    page_lines(page, run, [("amm.hlt_depth", "depth")], "Depth of the token pool", "USD that moves the price by 2 %",
               money, 1, "What can be sold before the price has fallen by two per cent.")
    page_lines(page, run, [("chain.claim_fee_usd", "filing a claim")], "Fee of a transaction", "USD", None, 1,
               "At the day's base fee and suggested tip.")


def people_figures(page: Page, run: Run) -> None:
    """Uninsured by income, concentration, own payments."""
    metrics = run.summary["metrics"]
    if "patients.uninsured_decile_1" in metrics:
        page.add(lambda axes: people.uninsured_by_decile(axes, metrics),
                 "Neither public cover nor a pool's.")
    page_lines(page, run, [("patients.uninsured", "without cover")], "Uninsured", "share of all patients", percent, 1,
               "Steps are open enrolments; the slope between them is lapses.")
    if "patients.top1_share" in metrics:
        page.add(lambda axes: people.concentration(axes, metrics, MEPS_2016),
                 "Medical spending is concentrated on few; the model must reproduce how much.")
    page_lines(page, run, [("patients.own_payments", "patients themselves"), ("patients.charity_care", "charity")],
               "Paid for care outside insurance", "USD a day", money, 30, "What is due beyond cash is charity care.")


def governance_figures(page: Page, run: Run) -> None:
    """Treasury, voting power, consents, research."""
    page_lines(page, run, [("governance.treasury", "treasury"), ("research.cash", "researchers")],
               "Cash of treasury and researchers", "USD", money, 1, "Fees come in, grants go out.")
    page_lines(page, run, [("governance.top10_share", "top 10 holders"), ("governance.gini", "Gini")],
               "Concentration of governance tokens", "share", percent, 1,
               "Real DAOs: the ten largest hold 45 to 58 %.")
    page_lines(page, run, [("data_vault.consents", "consents in force")], "Consent to share records", "patients",
               None, 1, "Patients who offer their record at some price.")
    page_lines(page, run, [("data_vault.sales", "records sold")], "Data sales", "records a day", None, 30,
               "Records bought by researchers.")


def verdicts(run: Run) -> str:
    """The table of expectations."""
    rows = run.summary.get("expectations", [])
    if not rows:
        return "<p>This scenario states no expectation that a single run can be held against.</p>"
    marks = {True: '<span class="yes">met</span>', False: '<span class="no">not met</span>',
             None: '<span class="open">needs replications: run <code>check</code></span>'}
    body = "".join(
        f"<tr><td>{marks.get(row.get('met'), marks[None])}</td><td>{html.escape(str(row.get('statement', '')))}</td>"
        f"<td class=n>{_number(row.get('value'))}</td><td>{html.escape(str(row.get('source', '')))}</td></tr>"
        for row in rows)
    return ("<div class=scroll><table><tr><th>verdict</th><th>expected</th><th>this run</th><th>source</th></tr>"
            f"{body}</table></div>")


def _number(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:,.4g}" if isinstance(value, (int, float)) else html.escape(str(value))


def key_figures(metrics: dict[str, float]) -> str:
    """Cards of the figures that most readers look for."""
    cards = "".join(f"<div class=card><b>{html.escape(show(metrics[name]))}</b><span>{html.escape(label)}</span></div>"
                    for name, label, show in KEY_FIGURES if name in metrics)
    return f"<div class=cards>{cards}</div>"


def events_table(run: Run, most: int = 40) -> str:
    """Shocks, defaults and votes executed, the first ``most`` of them."""
    events = run.events
    if events.empty:
        return "<p>None.</p>"
    rows = "".join(
        f"<tr><td class=n>{event.day}</td><td>{html.escape(str(event.kind))}</td>"
        f"<td>{html.escape(str(event.subject))}</td>"
        f"<td class=n>{money(float(event.amount)) if event.amount else ''}</td>"
        f"<td>{html.escape(', '.join(f'{k} {v}' for k, v in event.details.items()))}</td></tr>"
        for event in events.head(most).itertuples())
    more = f"<p class=meta>{len(events) - most} more in events.parquet.</p>" if len(events) > most else ""
    return ("<div class=scroll><table><tr><th>day</th><th>event</th><th>subject</th><th>amount</th><th></th></tr>"
            f"{rows}</table></div>{more}")


def metrics_table(metrics: dict[str, float]) -> str:
    """Every figure of the run."""
    rows = "".join(f"<tr><td><code>{html.escape(name)}</code></td><td class=n>{_number(value)}</td></tr>"
                   for name, value in sorted(metrics.items()))
    return (f"<details><summary>All {len(metrics)} figures</summary><div class=scroll><table>{rows}</table></div>"
            "</details>")


def render(run: Run) -> str:
    """The whole page as HTML."""
    scenario, manifest, metrics = run.scenario, run.manifest, run.summary["metrics"]
    page = Page()
    sections: list[tuple[str, Callable[[Page, Run], None]]] = [
        ("Solvency", solvency_figures), ("Claims and markets", market_figures), ("People", people_figures),
        ("Governance, data and research", governance_figures)]
    blocks = []
    for title, build in sections:
        page.parts = []
        build(page, run)
        if page.parts:
            blocks.append(f"<h2>{title}</h2><div class=figures>{''.join(page.parts)}</div>")
    matrix = flows.flow_matrix(run.flows)
    if matrix.size:
        page.parts = []
        page.add(lambda axes: flows.draw_flow_matrix(axes, matrix),
                 "Every dollar that moved, by sector; sums to the last unit (flows.parquet has kinds and days).",
                 wide=True, height=5.4)
        blocks.append(f"<h2>Where the money went</h2><div class=figures>{''.join(page.parts)}</div>")
    name = html.escape(str(manifest["name"]))
    people_count = scenario.get("population", {}).get("patients", 0)
    versions = ", ".join(f"{html.escape(k)} {html.escape(str(v))}" for k, v in sorted(manifest["versions"].items()))
    return f"""<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1"><title>{name} - salus</title>
<style>{STYLE}</style></head>
<body><h1>{name}</h1><p class="question">{html.escape(str(scenario.get("question", "")))}</p>
<p class="meta">{people_count:,} patients, {manifest["days"]:,} days, seed {manifest["seed"]}, stage
{html.escape(str(scenario.get("stage", "")))}. One run: figures below have no sampling interval; use <code>check</code>
for replications.</p>
<h2>Expectations</h2>{verdicts(run)}<h2>Key figures</h2>{key_figures(metrics)}{"".join(blocks)}
<h2>Events</h2>{events_table(run)}<h2>Figures</h2>{metrics_table(metrics)}
<h2>How to reproduce</h2><pre>python run_sim.py run scenario.yaml --seed {manifest["seed"]}</pre>
<p class="meta">with the <code>scenario.yaml</code> of this folder. Configuration
{html.escape(manifest["config_hash"][:16])}, commit {html.escape(str(manifest.get("commit") or "unknown"))[:12]}. {versions}.</p></body></html>
"""


def write_report(folder: str | Path) -> Path:
    """Write ``report.html`` into the run's folder and return its path."""
    run = load_run(folder)
    text = render(run)
    target = run.folder / REPORT
    temporary = target.with_suffix(".html.partial")
    temporary.write_text(text, encoding="utf-8")
    os.replace(temporary, target)
    return target
