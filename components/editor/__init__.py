"""The editor: companion and real speech in, real video out, in three phases by noise level (paper, Sec. 3)."""
