"""The interactive page: choose a scenario, move its parameters, watch the days, compare on the same seed.

It is a page of its own over the standard library's web server, and not mesa's SolaraViz, because SolaraViz steps one
model where a comparison needs two in lockstep, and has no place for the scenario layer's sentence about a bad value.
This page needs no package that a run does not need, loads nothing from elsewhere, and fits a phone.

``parameters`` says what can be moved, ``session`` holds the two markets, ``pictures`` draws them, ``server`` answers
the browser; ``page/`` is what the browser gets.
"""
