"""Figures: each function takes DataFrames, draws on the Axes it is given and returns them."""
