"""Scout for a researcher's own assistant, by the Model Context Protocol: what it is told, and the server that tells it."""
