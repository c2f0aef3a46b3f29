"""Prediction markets: a market maker whose loss is bounded, the markets it opens, and stakes on health benchmarks."""
