"""Tests of hand-written derivatives, and oracles to hold them against."""
