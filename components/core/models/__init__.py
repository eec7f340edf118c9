"""Networks, how they are trained, and how they are saved. Imports base, media and diffusion."""
