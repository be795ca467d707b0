"""Networks to ONNX and back: `export_onnx` for whatever runs ONNX, `import_onnx` for what other libraries trained.

Export writes each layer, activation and link in ONNX's words (`formulas`) into a graph (`graph`). Import goes the
other way without a list of how exporters write things: it reads what a file holds (`reading`), follows the rows
through it (`walking`), cuts the graph at its matrices (`blocks`), computes what lies between two of them
(`operators`), recognizes activations and norms by their values (`recognition`), and puts a network together
(`assembly`).
"""

from numlp.settings.checks import missing

try:
    import onnx  # noqa: F401
except ImportError as error:
    raise missing("onnx", "numlp.onnx", "onnx") from error

from numlp.onnx.exporting import export_onnx
from numlp.onnx.importing import import_onnx

__all__ = ["export_onnx", "import_onnx"]
