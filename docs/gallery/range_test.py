"""
A learning rate to begin with
=============================

`numlp.find_learning_rate` trains a copy of the network for two hundred steps, with a rate that rises from step to
step. At first the loss hardly moves, then it falls, then it breaks away. A good rate lies below the end of the
descent.
"""

import numlp
from numlp import plots

mnist = numlp.load_dataset("mnist")
network = numlp.MLP([784, 128, 128, 10], seed=0)
found = numlp.find_learning_rate(network, mnist.train, optimizer="sgd(momentum = 0.9)")

figure = plots.learning_rates(found)
