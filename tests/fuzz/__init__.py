"""Files that mean no good: every reader, mutations of what it reads, and what it must not do."""
