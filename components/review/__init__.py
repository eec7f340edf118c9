"""Review: one page about a run, with players, to judge it by."""
