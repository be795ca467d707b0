"""Tuning: a search for the recipe that does best on validation rows, by trials that processes and machines share."""
