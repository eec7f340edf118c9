"""Companions: every real clip again, with other lips (paper, Sec. 3.1 and appendix B)."""
