"""Judging: metrics, evaluation, confidence intervals, and inspection of a network."""
