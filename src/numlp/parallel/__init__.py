"""Parallel: one network that several members of a team train together, each with some of the hidden units."""
