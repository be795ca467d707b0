"""Runs: recipes, the folder that a run leaves behind, and runs that stopped before their end."""
