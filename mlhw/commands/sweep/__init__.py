"""``mlhw sweep`` and ``mlhw sweep-lr``: what is asked, how it is grouped and spread, and what came of it."""
