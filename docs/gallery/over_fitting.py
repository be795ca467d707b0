"""
Overfitting, and dropout against it
===================================

A thousand images are few for a network with 270,000 weights: it soon knows them by heart. From then on the loss on
images that it has not seen rises again, although the loss on those it trains on keeps falling. Dropout, which hides
half of the units at random in each step, works against that.
"""

import numlp
from numlp import plots

mnist = numlp.load_dataset("mnist")
few = mnist.train.x[:1000], mnist.train.y[:1000]


def trained(dropout: float) -> numlp.History:
    """Return the history of a training with this share of hidden units dropped."""
    network = numlp.MLP([784, 256, 256, 10], dropout=dropout, seed=0)
    return numlp.train(network, few, validation=mnist.validation, learning_rate=0.1, batch_size=32, epochs=40)


without, with_dropout = trained(0.0), trained(0.5)

# %%
# The validation loss turns, while the training loss keeps falling towards 0: the picture of overfitting.

figure = plots.curves(without, "loss", "1,000 images, no dropout")

# %%
# With dropout the loss on unseen images ends lower, and more of them are recognized:

figure = plots.compare({"no dropout": without, "dropout 0.5": with_dropout})
