"""Write onnx/: small networks as PyTorch's two exporters, skl2onnx and Keras's exporter write them.

    python -m pip install torch onnxscript skl2onnx onnxruntime
    python tests/reference/make_onnx.py torch sklearn
    python -m pip install tensorflow-cpu tf2onnx  # in an environment of its own
    python tests/reference/make_onnx.py keras

It never imports numlp, and the tests need none of these. Beside each network NAME.onnx lies NAME.json: some inputs,
and what the framework itself computes for them.
"""

import json
import sys
import warnings
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).parent / "onnx"
N = 6


def rounded(*shape):
    """Return inputs that are short to store."""
    return np.round(np.random.default_rng(0).normal(size=shape), 2).astype(np.float32)


def save(name, x, y):
    FOLDER.mkdir(exist_ok=True)
    data = {"x": np.asarray(x, float).round(6).tolist(), "y": np.asarray(y, float).tolist()}
    (FOLDER / f"{name}.json").write_text(json.dumps(data, indent=None) + "\n")


def make_torch():
    import torch
    from torch import nn

    warnings.simplefilter("ignore")
    torch.manual_seed(0)

    def randomize(net):
        """Make norms' parameters and statistics other than 1 and 0, which would hide mistakes."""
        for module in net.modules():
            for kind, parameter in [*module.named_parameters(recurse=False), *module.named_buffers(recurse=False)]:
                if not isinstance(module, nn.Linear) and parameter.is_floating_point():
                    parameter.data = torch.rand_like(parameter) + (0.5 if kind in ("weight", "running_var") else 0)
        return net.eval()

    class Viewed(nn.Module):
        """An image that is scaled and flattened as one does it by hand."""

        def __init__(self):
            super().__init__()
            self.first, self.last = nn.Linear(12, 4), nn.Linear(4, 3)

        def forward(self, x):
            x = (x - 0.1307) / 0.3081
            x = nn.functional.relu(self.first(x.view(x.size(0), -1)))
            return nn.functional.log_softmax(self.last(nn.functional.dropout(x, training=self.training)), dim=1)

    class Channels(nn.Module):
        """Images in colour, each channel with a scaling of its own; and weights without a bias."""

        def __init__(self):
            super().__init__()
            self.layers = nn.Sequential(nn.Flatten(), nn.Linear(12, 4, bias=False), nn.Tanh(), nn.Linear(4, 1))

        def forward(self, x):
            mean, deviation = torch.tensor([0.4, 0.5, 0.6]), torch.tensor([0.2, 0.3, 0.4])
            return self.layers((x - mean.view(3, 1, 1)) / deviation.view(3, 1, 1))

    curves = [nn.ReLU(), nn.LeakyReLU(0.2), nn.ELU(0.5), nn.SELU(), nn.SiLU(), nn.Mish(), nn.Tanh(), nn.Sigmoid()]
    curves += [nn.Softplus(), nn.GELU("tanh"), nn.Identity()]
    blocks = [block for curve in curves for block in (nn.Linear(3, 3), curve)]
    cases = {
        "activations": (nn.Sequential(*blocks, nn.Linear(3, 2)), (3,)),
        "gelu": (nn.Sequential(nn.Linear(3, 4), nn.GELU(), nn.Linear(4, 2)), (3,)),
        "batch_norm": (
            nn.Sequential(
                *(nn.Flatten(), nn.BatchNorm1d(4), nn.Linear(4, 5), nn.BatchNorm1d(5), nn.ReLU(), nn.Dropout(0.5)),
                *(nn.Linear(5, 4), nn.ReLU(), nn.BatchNorm1d(4), nn.Linear(4, 3), nn.Softmax(dim=1)),
            ),
            (2, 2),
        ),
        "layer_norm": (
            nn.Sequential(
                *(nn.Linear(4, 5), nn.LayerNorm(5), nn.SiLU(), nn.Linear(5, 4, bias=False), nn.LayerNorm(4)),
                *(nn.ReLU(), nn.Linear(4, 1), nn.Sigmoid()),
            ),
            (4,),
        ),
        "view": (Viewed(), (1, 3, 4)),
        "channels": (Channels(), (3, 2, 2)),
        "external": (
            nn.Sequential(nn.Linear(16, 20), nn.GELU(), nn.Linear(20, 20), nn.ReLU(), nn.Linear(20, 2)),
            (16,),
        ),
        "convolution": (nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4, 2)), (1, 4, 3)),
    }
    for name, (net, shape) in cases.items():
        randomize(net)
        x = torch.tensor(rounded(N, *shape))
        with torch.no_grad():
            y = net(x).numpy()
        for exporter in ("torch", "torchscript"):
            path = str(FOLDER / f"{exporter}_{name}.onnx")
            names = {"input_names": ["x"], "output_names": ["y"]}
            if exporter == "torch":
                shapes = ({0: torch.export.Dim("n", min=1)},)
                program = torch.onnx.export(net, (x,), **names, dynamo=True, dynamic_shapes=shapes, verbose=False)
                program.save(path, external_data=False)
                forget_source_lines(path)
            else:  # opset 13 has no LayerNormalization: the norm is decomposed
                axes = None if name == "view" else {"x": {0: "n"}, "y": {0: "n"}}
                inputs = x[:1] if axes is None else x
                torch.onnx.export(net, (inputs,), path, **names, dynamo=False, opset_version=13, dynamic_axes=axes)
            save(f"{exporter}_{name}", x, y)
        if name == "external":  # as the exporter writes it by default: the numbers lie in torch_external.onnx.data
            program.save(str(FOLDER / f"torch_{name}.onnx"), external_data=True)
            forget_source_lines(str(FOLDER / f"torch_{name}.onnx"))


def forget_source_lines(path):
    """Take out stack traces, which are most of a small file and name the folders of the machine."""
    import onnx

    model = onnx.load(path, load_external_data=False)
    for part in (*model.graph.node, *model.graph.input, *model.graph.output, *model.graph.initializer):
        del part.metadata_props[:]
    del model.graph.value_info[:]
    onnx.save(model, path)


def make_sklearn():
    from skl2onnx import to_onnx
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    warnings.simplefilter("ignore")
    x = rounded(60, 4)
    kinds = np.array(["cat", "dog", "owl"])[np.digitize(x.sum(axis=1), [-1, 1])]
    settings = {"hidden_layer_sizes": (5,), "max_iter": 20, "random_state": 0}
    scaled = make_pipeline(StandardScaler(), MLPClassifier(activation="tanh", **settings))
    cases = {
        "classifier": (MLPClassifier(**settings), kinds, {}),
        "pipeline": (scaled, kinds, {"zipmap": False}),
        "binary": (MLPClassifier(activation="logistic", **settings), x[:, 0] > 0, {"zipmap": False}),
        "numbers": (MLPClassifier(**settings), np.where(kinds == "cat", 3, 7), {}),
        "multilabel": (MLPClassifier(**settings), (x[:, :3] > 0).astype(int), {"zipmap": False}),
        "two_labels": (MLPClassifier(**settings), (x[:, :2] > 0).astype(int), {"zipmap": False}),
        "regressor": (MLPRegressor(**settings), x[:, 0] - x[:, 1], {}),
        "linear": (MLPRegressor(activation="identity", **settings), x[:, 0], {}),
    }
    for name, (estimator, y, options) in cases.items():
        estimator.fit(x, y)
        model = to_onnx(estimator, x[:1], options={id(estimator): options} if options else None)
        (FOLDER / f"sklearn_{name}.onnx").write_bytes(model.SerializeToString())
        predict = getattr(estimator, "predict_proba", estimator.predict)
        save(f"sklearn_{name}", x[:N], predict(x[:N]))


def make_keras():
    import keras
    from keras import layers

    keras.utils.set_random_seed(0)
    curves = ["relu", "leaky_relu", "elu", "selu", "silu", "mish", "tanh", "sigmoid", "softplus", "linear"]
    cases = {
        "activations": [layers.Input((4,)), *(layers.Dense(3, curve) for curve in curves), layers.Dense(2)],
        "classifier": [
            *(layers.Input((2, 2)), layers.Flatten(), layers.Rescaling(1 / 255), layers.Dense(5, use_bias=False)),
            *(layers.BatchNormalization(), layers.ReLU(), layers.Dropout(0.5), layers.Dense(3, "softmax")),
        ],
        "normalized": [
            *(layers.Input((4,)), layers.BatchNormalization()),
            *(layers.Dense(5), layers.LayerNormalization(epsilon=1e-5)),
            *(layers.Activation("relu"), layers.Dense(1, "sigmoid")),
        ],
        "other_epsilon": [
            *(layers.Input((4,)), layers.Dense(5), layers.LayerNormalization(), layers.ReLU(), layers.Dense(1)),
        ],
    }
    for name, parts in cases.items():
        net = keras.Sequential(parts)
        for layer in net.layers:  # biases and norms other than 0 and 1, which would hide mistakes
            weights = layer.get_weights()
            layer.set_weights([w if w.ndim > 1 else np.linspace(0.5, 1.5, w.size, dtype=w.dtype) for w in weights])
        x = rounded(N, *parts[0].shape[1:])
        save(f"keras_{name}", x, net(x))  # which calls it, as it must have been before it is exported
        net.export(str(FOLDER / f"keras_{name}.onnx"), format="onnx", verbose=False)


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for maker in sys.argv[1:] or ("torch", "sklearn", "keras"):
        {"torch": make_torch, "sklearn": make_sklearn, "keras": make_keras}[maker]()
