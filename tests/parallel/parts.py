"""Parts of networks for tests: what a network computes alone, and what the members of a team do with its parts."""

import numpy as np
from hypothesis import strategies as st
from network.test_gradients import LAYERS, targets_for
from parallel.threads import together

from numlp.data.batches import Batch
from numlp.network.activations import ACTIVATIONS
from numlp.network.losses import LOSSES
from numlp.network.mlp import MLP
from numlp.parallel.part import Part, Parts, part_sizes
from numlp.training.regularization import Average
from numlp.training.step import Step

WIDTHS = {"one layer": (5,), "four uneven ones": (5, 4, 3, 7)}
REGULARIZATION = {
    "nothing": {},
    "adversarial": {"adversarial": 0.3},
    "l1": {"l1": 0.01},
    "l2": {"l2": 0.01},
    "max_norm": {"max_norm": 0.7},
    "clip_norm": {"clip_norm": 0.05},
    "clip_value": {"clip_value": 0.02},
    "averaging": {"averaging": 0.9},
}
REGULARIZATION["everything"] = {name: value for one in REGULARIZATION.values() for name, value in one.items()}
ARCHITECTURES = {  # beside the widths of the hidden layers
    "outputs": st.integers(1, 4),
    "size": st.integers(2, 4),
    "activations": st.lists(st.sampled_from(sorted(ACTIVATIONS)), min_size=4, max_size=4),
    "loss": st.sampled_from(sorted(LOSSES)),
    "layers": st.sampled_from(sorted(LAYERS)),
    "weighted": st.booleans(),
    "seed": st.integers(0, 10**6),
}


def network(hidden, loss, dtype="float64", seed=0, n_targets=3, **architecture):
    """Return a network and the inputs, targets and weights of five rows."""
    rng = np.random.default_rng(seed)
    net = MLP([3, *hidden, n_targets * LOSSES[loss]().blocks], loss=loss, dtype=dtype, seed=seed, **architecture)
    net.params += rng.normal(scale=0.4, size=net.params.shape)  # biases and norms, too
    arrays = rng.normal(size=(5, 3)), targets_for(net.loss, 5, n_targets, rng), rng.uniform(0, 3, 5)
    return net, [array.astype(dtype) for array in arrays]


def split(net, size, work, n=5, names=(), delay=lambda rank: None):
    """Let every member of a team call `work(part, settle, …)`; gather in the network; return what each returned.

    `names` are further arrays for all parameters, 1-D, that are scattered, given to `work` by name, and gathered.
    """
    wholes = {"params": net.params, "grads": net.grads, **dict(names)}

    def program(team):
        def settle():
            team.arrive()
            team.wait()

        flats = {name: [team.share((count,), net.dtype) for count in part_sizes(net, team)] for name in wholes}
        own = {name: arrays[team.rank] for name, arrays in flats.items()}
        part = Part(net, team, (own.pop("params"), own.pop("grads")))
        part.allocate(n)
        copies = [Parts(net, team, whole, flats[name]) for name, whole in wholes.items()]
        if team.rank == 0:
            for copy in copies:
                copy.scatter()
        settle()
        result = work(part, settle, **own)
        settle()
        if team.rank == 0:
            for copy in copies:
                copy.gather()
        return result

    return together(size, program, delay)


def batches_of(net, x, targets, weights):
    """Return batches of several lengths, with weights and without."""
    return [Batch(x, targets, weights), Batch(x[:3], targets[:3]), Batch(x[1:4], targets[1:4]), Batch(x, targets)]


def gradients(net, x, targets, weights, size, errors=None):
    """Let a network compute its gradients alone, then by parts.

    It has those of the parts in the end. `errors` is what NumPy does about overflow and the like.

    Returns
    -------
    alone : dict of arrays
        The loss, the losses of rows, the logits and the gradient of the inputs; "grads" and "params", in which the
        running statistics are.
    members : list of dicts
        The first four of these, of every member of the team.
    """

    def work(network, settle=None):
        network.begin_epoch(3, 1)
        with np.errstate(all=errors):
            loss = network.loss_and_grad(x, targets, weights, input_gradient=True)
        arrays = {name: getattr(network, name).copy() for name in ("input_grad", "last_logits", "row_losses")}
        return {"loss": np.array(loss), **arrays}

    before = net.params.copy()
    alone = work(net) | {"grads": net.grads.copy(), "params": net.params.copy()}
    net.params, net.grads = before, np.zeros(net.grads.size)
    return alone, split(net, size, work, n=len(x))


def steps(net, batches, size, optimizer, regularization, delay=lambda rank: None):
    """Let a network take steps alone, then by parts, all of which change its parameters.

    Returns
    -------
    alone, together : dict of arrays
        The parameters and gradients, the optimizer's state and the average after the steps.
    losses : list of lists
        The losses and penalties of the steps: of the network alone, then of every member of the team.
    """

    def work(network, settle=lambda: None, average=None, **averages):
        mean = Average(network, regularization.averaging, average) if regularization.averaging else None
        step = Step(network, optimizer, optimizer.init(network.params, averages), regularization, average=mean)
        network.begin_epoch(3, 1)
        losses = []
        for batch in batches:
            settle()  # as a leader does, between its commands
            with np.errstate(over="ignore"):
                losses.append(step(batch, 0.05)[:2])
        return losses

    def arrays():
        averages = {name: np.zeros_like(net.params) for name in optimizer.averages()}
        return averages | ({"average": net.params.copy()} if regularization.averaging else {})

    before, n = net.params.copy(), max(len(batch.x) for batch in batches)
    net.allocate(n)
    alone, parts = arrays(), arrays()
    losses = work(net, **alone)
    alone |= {"params": net.params.copy(), "grads": net.grads.copy()}
    net.params = before
    members = split(net, size, work, n, parts, delay)
    assert not np.array_equal(net.params, before)
    return alone, parts | {"params": net.params, "grads": net.grads}, [losses, *members]
