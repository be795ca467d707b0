"""
Which columns count, and how
============================

Flats with a size, an age, a city and a number that means nothing. The price is made up: so much for each square
metre, twice as much in Ulm, and less for old flats. A network that learned it should say the same when it is asked.
"""

import numpy as np

import numlp
from numlp import plots
from numlp.judging.survey import survey

rng = np.random.default_rng(0)
n = 2000
size, age = rng.uniform(20, 200, n), rng.uniform(0, 100, n)
city = rng.choice(["Bonn", "Köln", "Ulm"], n)
price = 2000 * size * (1 + (city == "Ulm")) - 500 * age + rng.normal(scale=10_000, size=n)
flats = numlp.Table({"size": size, "age": age, "city": city, "nothing": rng.normal(size=n)})

encoding = numlp.learn_encoding(flats[:1500])
scaling = numlp.standardize(price[:1500, None])
network = numlp.MLP([4, 64, 64, 1], loss="squared_error", input_encoding=encoding, target_scaling=scaling, seed=0)
numlp.train(network, (flats[:1500], price[:1500]), learning_rate=0.05, epochs=60, seed=0)

# %%
# Permuting a column among the rows takes out what it says. The lines are 95 % intervals.

found = survey(network, (flats[1500:], price[1500:]))
figure = plots.importance(found.importance, "importance on 500 new flats")

# %%
# The mean prediction if all flats had one size, one age, or one city. The bands show how much the effect differs from
# flat to flat: that of the size does, since it is twice as large in Ulm.

figure = plots.dependence(found.dependence, "the mean price if all flats had one value in a column")

# %%
# The strongest pair is the one whose effects multiply.

pair = found.interactions[0]
print(f"{' and '.join(pair.columns)}: typically ±{pair.strength:,.0f}, {pair.share:.0%} of the effect of both")
