"""Trains what the paper takes as given: the audio front end, and the sync and identity experts, each twice."""
