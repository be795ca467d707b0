"""
Schedules of the learning rate
==============================

A schedule multiplies the learning rate by a factor that changes from step to step. Large steps go far at first; small
ones at the end settle what large ones overshoot.
"""

from matplotlib.figure import Figure

import numlp

mnist = numlp.load_dataset("mnist")
some = mnist.train.x[:6400], mnist.train.y[:6400]
SCHEDULES = ["constant", "step(every = 4)", "exponential(by = 0.8)", "cosine(warmup = 1)", "one_cycle"]

figure = Figure(figsize=(8, 4.6), layout="constrained")
axes = figure.subplots()
for schedule in SCHEDULES:
    network = numlp.MLP([784, 64, 10], seed=0)
    history = numlp.train(network, some, learning_rate=0.2, schedule=schedule, batch_size=64, epochs=12)
    axes.plot(history["epoch"], history["learning_rate"], label=schedule)
axes.set(xlabel="epoch", ylabel="learning rate at its end")
axes.grid(alpha=0.25)
axes.legend(frameon=False)
