"""Many runs of one experiment: which, and what came of them."""
