"""Settings: what a user may say, how it is checked, and how much a file may ask for."""
