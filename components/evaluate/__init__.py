"""The benchmark: every way to dub, measured against the exact re-dub. Writes metrics, plots and samples."""
