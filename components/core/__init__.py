"""Libraries that the components share: base < media, diffusion < models."""
