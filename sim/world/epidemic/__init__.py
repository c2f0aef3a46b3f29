"""Epidemics: transmission in and between regions, interventions, illness that follows, care that is put off."""
