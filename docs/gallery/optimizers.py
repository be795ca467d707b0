"""
Optimizers compared
===================

The same network, the same batches, five optimizers, each at its usual learning rate. What is best depends on the
network and the data, so the comparison is worth its few lines.
"""

import numlp
from numlp import plots

mnist = numlp.load_dataset("mnist")
some = mnist.train.x[:10_000], mnist.train.y[:10_000]

histories = {}
for optimizer in ["sgd", "sgd(momentum = 0.9)", "rmsprop", "adam", "lion"]:
    network = numlp.MLP([784, 128, 128, 10], seed=0)
    histories[optimizer] = numlp.train(
        network, some, validation=mnist.validation, optimizer=optimizer, batch_size=64, epochs=6
    )

figure = plots.compare(histories)
