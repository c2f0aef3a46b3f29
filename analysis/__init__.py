"""Reads result folders: loading, figures and the report. Imports nothing of the simulator."""

from analysis.load import FolderError, Run, load_run

__all__ = ["FolderError", "Run", "load_run"]
