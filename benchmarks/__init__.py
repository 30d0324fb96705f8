"""What mlhw costs beside the bare arithmetic: ``python -m benchmarks``. See README.md in this folder."""
