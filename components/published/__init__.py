"""Published metrics with published weights: the figures that papers give, of this run."""
