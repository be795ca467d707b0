"""Settings: checks, named values, limits on what a file may ask for, reading texts, and loading on first use."""
