"""Judging: metrics, evaluation, confidence intervals, and a look inside a network."""
