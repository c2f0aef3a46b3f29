"""Patients: columns of the population, advanced in whole-population steps."""
