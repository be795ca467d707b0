"""Reports: one self-contained HTML page for a run, or for several runs side by side.

A page is one file. It loads nothing, so it works without a network and without a server, and its
Content-Security-Policy lets nothing run but the scripts of this package that were put into it. Whatever comes from
data, file names or class names is escaped.
"""

from numlp.report.comparison import write_comparison
from numlp.report.report import REPORT, write_report

__all__ = ["REPORT", "write_comparison", "write_report"]
