"""Errors, params, seeds, files and the run-time settings of every entry point. Imports nothing of ours."""
