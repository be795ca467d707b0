"""Networks to ONNX and back: `export_onnx` for any ONNX runtime, `import_onnx` for networks from other libraries.

Export writes a table's columns (`columns`) and each layer, activation and link (`formulas`) as ONNX nodes into a
graph (`graph`), with a `description` of what the nodes can't say. Import works in the opposite direction, without a
list of the forms that exporters use: it reads the file (`reading`), follows the rows through the graph (`walking`),
cuts it at its matrices (`blocks`), computes the part between two of them (`operators`), recognizes activations and
norms by their values (`recognition`), and assembles a network (`assembly`).
"""

from numlp.settings.checks import missing

try:
    import onnx  # noqa: F401
except ImportError as error:
    raise missing("onnx", "numlp.onnx", "onnx") from error

from numlp.onnx.exporting import export_onnx
from numlp.onnx.importing import import_onnx

__all__ = ["export_onnx", "import_onnx"]
