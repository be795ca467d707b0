"""The network: activations, initializers, layers, losses and scaling; the MLP made of them, and ensembles of it."""
