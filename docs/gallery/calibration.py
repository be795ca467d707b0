"""
Probabilities that mean what they say
=====================================

A network that says "90 %" should be right nine times out of ten. One that was trained for long on few images is too
sure: its curve lies below the diagonal. `numlp.calibrate` divides its logits by one number, the temperature, found on
the validation images. No answer changes, only how sure the network is of it.
"""

import numlp
from numlp import plots

mnist = numlp.load_dataset("mnist")
network = numlp.MLP([784, 128, 128, 10], seed=0)
numlp.train(network, (mnist.train.x[:1000], mnist.train.y[:1000]), learning_rate=0.1, batch_size=32, epochs=40)

figure = plots.reliability(network.predict_proba(mnist.test.x), mnist.test.y, "before")

# %%
# After it the curve follows the diagonal. The test images had no part in finding the temperature.

found = numlp.calibrate(network, mnist.validation)
print(f"temperature {found.temperature:.2f}")

figure = plots.reliability(network.predict_proba(mnist.test.x), mnist.test.y, "after")
