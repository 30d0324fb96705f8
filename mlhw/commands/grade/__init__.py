"""``mlhw grade``: results held to what their experiment expects, one's own and those that students hand in."""
