"""The names of what was found."""

from mlhw.datasets.pictures import Found


def names(found: list[Found]) -> list[str]:
    return [item.name for item in found]
