"""The research loop: think, call a tool, look, think again; its tools and its context budget. No tool has an outward effect."""
