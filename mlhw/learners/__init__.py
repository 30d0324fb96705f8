"""Adapters that let the one loop train models of every kind."""
