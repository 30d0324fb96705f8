"""``python -m mlhw`` is the same program as ``mlhw``."""

from mlhw.cli import main

if __name__ == "__main__":
    main()
