"""Training: the loop on one screen, and what it is made of: optimizers, schedules, regularization and callbacks."""
