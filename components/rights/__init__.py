"""Rights: writes the rights.yaml that footage needs."""
