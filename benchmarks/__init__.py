"""numlp beside its peers: all do the same work in one run, taking turns."""
