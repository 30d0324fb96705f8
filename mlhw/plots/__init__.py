"""Figures, drawn from the files of a run alone."""
