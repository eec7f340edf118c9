"""dubstrap: mask-free visual dubbing you can train yourself."""
