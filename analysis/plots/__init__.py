"""Figures: each function takes a run or a DataFrame and draws on the Axes it is given."""
