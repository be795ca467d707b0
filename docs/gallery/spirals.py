"""
Two spirals
===========

Two arms wind around each other, so no line parts them. Without a hidden layer a network can draw nothing but a line;
two hidden layers fold the plane until one is enough. The colour is the probability of the red class.
"""

import numpy as np
from matplotlib.figure import Figure

import numlp

rng = np.random.default_rng(0)
turns = np.sqrt(rng.uniform(0.05, 1, 600))
labels = np.arange(600) % 2
angles = 3 * np.pi * turns + np.pi * labels
points = (turns * [np.cos(angles), np.sin(angles)]).T + 0.02 * rng.standard_normal((600, 2))

side = np.linspace(-1.2, 1.2, 200)
grid = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)

# %%
# The same training for both networks. Only their hidden layers differ.

figure = Figure(figsize=(9, 4.6), layout="constrained")
for axes, hidden in zip(figure.subplots(1, 2), [(), (64, 64)], strict=True):
    network = numlp.MLP([2, *hidden, 2], seed=0)
    numlp.train(network, (points, labels), optimizer="adam", learning_rate=0.01, epochs=80)
    red = network.predict_proba(grid)[:, 1].reshape(200, 200)
    axes.contourf(side, side, red, levels=20, cmap="RdBu_r", vmin=0, vmax=1, alpha=0.5)
    axes.scatter(*points.T, c=labels, cmap="RdBu_r", s=14, edgecolors="white", linewidths=0.5)
    accuracy = numlp.evaluate(network, (points, labels))["accuracy"]
    axes.set_title(f"{len(hidden) or 'No'} hidden layers: {accuracy:.0%} right", fontsize=11, loc="left")
    axes.set(xticks=[], yticks=[], aspect="equal")
