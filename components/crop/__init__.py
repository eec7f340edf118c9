"""Crop: clips in, aligned face crops with landmarks, pose, lip measures and masks out."""
