"""
What the first layer looks for
==============================

Each unit of the first layer has one weight for every pixel, so its weights are an image too. Where it is red, ink
makes the unit larger; where it is blue, ink makes it smaller. Strokes and their borders appear after a few passes
over the data, and at the rim, where no digit has ink, nothing is ever learned.
"""

import numlp
from numlp import plots

mnist = numlp.load_dataset("mnist")
network = numlp.MLP([784, 64, 10], seed=0)
numlp.train(network, mnist.train, learning_rate=0.2, batch_size=64, epochs=4, l2=1e-4)

figure = plots.weights(network)
