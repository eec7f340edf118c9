"""Reads the Content Credentials of a result: `dubstrap verify`."""
