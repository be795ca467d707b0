"""One training in a process of its own: prints "trained" at its end, and then the accuracy.

python -m benchmarks.once CONTENDER DATA SPLIT CASE

The case is JSON. SPLIT names the rows to evaluate on: "test", or the number of the fold of 3,000 training images that
is held out. Fold 0 is the last 3,000, which no other benchmark trains on.
"""

import json
import sys

from benchmarks.case import Case
from benchmarks.contenders import contender
from benchmarks.data import load, with_fold


def main(name: str, data: str, split: str, settings: str) -> None:
    case = Case(**json.loads(settings))
    module = contender(name)
    images = getattr(module, "load", load)(data)
    if split == "test":
        x, y = images.x_test, images.y_test
    else:
        images = with_fold(images, int(split))
        x, y = images.x_validation, images.y_validation
    predict = module.train(case, images.x, images.y, lambda loss: None)
    print("trained", flush=True)
    answers = predict((x.reshape(len(x), -1) / 255).astype("float32")).argmax(axis=1)
    print(float((answers == y).mean()))


if __name__ == "__main__":
    main(*sys.argv[1:])
