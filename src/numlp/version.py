"""The version of the library: stored in every model file, read by the build."""

__version__ = "0.1.0"
