"""The mathematics by hand, in numpy alone."""
