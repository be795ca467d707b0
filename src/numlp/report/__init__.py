"""Reports: one self-contained HTML page for a run, or for several runs side by side.

A page is one file. It loads nothing, so it works offline and without a server. Its Content-Security-Policy allows
only the scripts of this package that the page contains. Text from data, file names or class names is escaped.
"""

from numlp.report.comparison import write_comparison
from numlp.report.report import write_report
from numlp.runs.layout import REPORT

__all__ = ["REPORT", "write_comparison", "write_report"]
