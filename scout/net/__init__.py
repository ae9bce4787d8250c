"""The only door for addresses that come from outside: what may be asked, for how long, how much, and how often."""
