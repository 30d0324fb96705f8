"""One function a verb; ``assemble`` is the only place where names in a config meet objects."""
