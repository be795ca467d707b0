"""Runs: recipes, a run's folder, and unfinished runs."""
