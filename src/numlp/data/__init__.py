"""Data: rows and their weights, batches, streams, augmentation, and rows as pictures."""
