"""numlp beside its peers: the same work, taken turns at, in one run."""
