"""
How far a prediction may be off
===============================

With the loss ``quantile`` a network predicts, for each row, not one value but several levels: below the first lie 10
% of the targets, below the second half of them, below the third 90 %. Here the noise grows from left to right, and
the band between the outer two grows with it.
"""

import numpy as np
from matplotlib.figure import Figure

import numlp

rng = np.random.default_rng(0)
x = rng.uniform(0, 10, (2000, 1))
y = np.sin(x) + (0.05 + 0.06 * x) * rng.standard_normal(x.shape)

network = numlp.MLP(
    [1, 64, 64, 3],
    loss="quantile(levels = [0.1, 0.5, 0.9])",
    activation="tanh",
    input_scaling=numlp.standardize(x),
    target_scaling=numlp.standardize(y),
    seed=0,
)
numlp.train(network, (x, y), optimizer="adam", learning_rate=0.005, schedule="cosine", batch_size=64, epochs=60)

# %%
# `predict` has a column for each level.

line = np.linspace(0, 10, 300)
low, middle, high = network.predict(line[:, None]).T

figure = Figure(figsize=(8, 4.6), layout="constrained")
axes = figure.subplots()
axes.scatter(x, y, s=4, color="#7a8ca3", alpha=0.5, label="data")
axes.fill_between(line, low, high, color="#c8402f", alpha=0.2, label="10 % to 90 %")
axes.plot(line, middle, color="#c8402f", label="half lie below")
axes.set(xlabel="x", ylabel="y")
axes.legend(frameon=False)

# %%
# Of the data, 80 % should lie within the band.

bounds = network.predict(x)
within = np.mean((bounds[:, 0] < y[:, 0]) & (y[:, 0] < bounds[:, 2]))
print(f"{within:.1%} lie within it")
