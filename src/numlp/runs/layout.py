"""Layout: the names of the files in a run's folder."""

RECIPE = "recipe.toml"
MODEL = "model.safetensors"
SNAPSHOTS = "snapshots.safetensors"
GRADIENTS = "gradients.csv"
OUT_OF_FOLD = "out_of_fold.csv"
METRICS = "metrics.json"
DATA = "data.json"
CHECKPOINTS = "checkpoints"  # of a run that has not ended
STATE = "state"  # the last checkpoints of one that has
