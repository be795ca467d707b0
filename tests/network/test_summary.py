from numlp import MLP, Ensemble


def test_a_summary_prints_layers_shapes_and_parameters():
    net = MLP([6, 5, 2], normalization="batch", dropout=0.1, input_noise=0.1, input_shape=(2, 3))
    lines = [line.split() for line in str(net.summary()).splitlines()]
    names = [
        "layer",
        "inputs",
        "flatten",
        "gaussian_noise",
        "linear",
        "batch_norm",
        "relu",
        "dropout",
        "linear",
        "total",
    ]
    assert [line[0] for line in lines[:-1]] == names
    counts = [int(line[-1]) for line in lines[1:-2] if line[-1] != "–"]
    assert sum(counts) == int(lines[-2][-1]) == net.params.size


def test_a_summary_looks_the_same_printed_and_in_a_notebook():
    for model in (MLP([2, 2]), Ensemble([MLP([2, 2]), MLP([2, 3, 2])])):
        summary = model.summary()
        assert repr(summary) == str(summary)
        assert isinstance(summary, str)
    assert "network 1\n" in summary
    assert "network 2\n" in summary
