"""Runs and sweeps beside each other, from their files."""
