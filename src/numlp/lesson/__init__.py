"""Lesson: one self-contained HTML page that trains networks, with data of its own or of the reader's.

Like a report, the page is one file that loads nothing. Its scripts lie in folders named after the library's rooms.
"""

from numlp.lesson.lesson import write_lesson

__all__ = ["write_lesson"]
