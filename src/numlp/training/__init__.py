"""Training: the loop on one screen, with its optimizers, schedules, regularization and callbacks."""
