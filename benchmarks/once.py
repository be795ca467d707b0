"""One training in a process of its own: says "trained" when it is, and then how many rows are classified rightly.

python -m benchmarks.once CONTENDER DATA SPLIT CASE      (a case as JSON; SPLIT is "validation" or "test")
"""

import json
import sys

from benchmarks.case import Case
from benchmarks.contenders import contender
from benchmarks.data import load


def main(name: str, data: str, split: str, settings: str) -> None:
    case = Case(**json.loads(settings))
    module = contender(name)
    images = getattr(module, "load", load)(data)
    predict = module.train(case, images.x, images.y, lambda loss: None)
    print("trained", flush=True)
    x, y = (images.x_test, images.y_test) if split == "test" else (images.x_validation, images.y_validation)
    answers = predict((x.reshape(len(x), -1) / 255).astype("float32")).argmax(axis=1)
    print(float((answers == y).mean()))


if __name__ == "__main__":
    main(*sys.argv[1:])
