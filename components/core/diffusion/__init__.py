"""Flow matching: z_t = (1 - t) z_0 + t eps, so t = 0 is data, t = 1 is noise and the velocity is v = eps - z_0."""
