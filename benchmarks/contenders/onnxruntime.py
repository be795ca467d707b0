"""onnxruntime, with a network that numlp trained and exported: it only predicts."""

from benchmarks.case import AfterEpoch, Case, Predict, Rows
from benchmarks.contenders import numlp as trainer

NAME = "onnxruntime"
DISTRIBUTIONS = ("onnxruntime", "onnx")


def train(case: Case, x: Rows, y: Rows, after_epoch: AfterEpoch) -> Predict:
    import os
    import tempfile
    from pathlib import Path

    from onnxruntime import InferenceSession, SessionOptions

    from numlp.onnx import export_onnx

    options = SessionOptions()
    options.intra_op_num_threads = int(os.environ["OMP_NUM_THREADS"])  # it does not read the variable itself
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        export_onnx(trainer.trained(case, x, y, after_epoch), path)
        session = InferenceSession(path, options)

    def predict(rows: Rows) -> Rows:
        answer: Rows = session.run(["probabilities"], {"input": rows})[0]
        return answer

    return predict
