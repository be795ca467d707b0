"""
Where a network fails
=====================

Ten thousand test images, and those among them that the network is most wrong about: it gives another digit nearly all
of the probability. With many of them a human would hesitate, too.
"""

import numlp
from numlp import plots

mnist = numlp.load_dataset("mnist")
network = numlp.MLP([784, 128, 128, 10], seed=0)
numlp.train(network, mnist.train, learning_rate=0.1, batch_size=64, epochs=5)

figure = plots.mistakes(network, mnist.test.x, mnist.test.y)

# %%
# What speaks for an answer and what against it: the gradient of the winning logit with respect to each pixel. More
# ink where it is red would make the network surer of its answer.

figure = plots.saliency(network, mnist.test.x[:6])
