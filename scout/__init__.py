"""The agent: what the world published flows in, a short digest comes out, thumbs flow back."""

__version__ = "0.1.0"
