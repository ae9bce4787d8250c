"""The model that reads on: how its server is started for it, and the one client that talks to it. No prompts live here."""
