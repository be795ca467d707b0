"""Layout: the names of the files in a run's folder."""

RECIPE = "recipe.toml"
MODEL = "model.safetensors"
SNAPSHOTS = "snapshots.safetensors"
HISTORY = "history.csv"
GRADIENTS = "gradients.csv"
OUT_OF_FOLD = "out_of_fold.csv"
METRICS = "metrics.json"
DATA = "data.json"
REPORT = "report.html"
FIGURES = "figures"
PROVENANCE = "provenance.json"  # covers the others
KEPT = "kept"  # checkpoints of epochs, from which later ones can be trained again
CHECKPOINTS = "checkpoints"  # of a run that has not ended
STATE = "state"  # the last checkpoints of one that has
