"""One training in a process of its own: says "trained" when it is, and then how many rows are classified rightly.

python -m benchmarks.once CONTENDER DATA SPLIT CASE

The case is JSON. SPLIT says which rows: "test", or how many of the last training images are held out for that.
"""

import json
import sys

from benchmarks.case import Case
from benchmarks.contenders import contender
from benchmarks.data import load

HELD_OUT = 3_000  # that nobody trains on, as in the reference project


def main(name: str, data: str, split: str, settings: str) -> None:
    case = Case(**json.loads(settings))
    module = contender(name)
    images = getattr(module, "load", load)(data, HELD_OUT if split == "test" else int(split))
    predict = module.train(case, images.x, images.y, lambda loss: None)
    print("trained", flush=True)
    x, y = (images.x_test, images.y_test) if split == "test" else (images.x_validation, images.y_validation)
    answers = predict((x.reshape(len(x), -1) / 255).astype("float32")).argmax(axis=1)
    print(float((answers == y).mean()))


if __name__ == "__main__":
    main(*sys.argv[1:])
