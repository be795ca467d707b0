"""Arrays: reading inputs and targets, special functions, buffers, sparse rows, and randomness."""
