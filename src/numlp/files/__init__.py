"""Files: models, checkpoints and tensors, written atomically and read without trust."""
