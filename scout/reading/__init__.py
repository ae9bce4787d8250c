"""The stage in which a served model reads on: what it is given, what that may cost, and what of it stays."""
