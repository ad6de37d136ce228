"""How much of what was planted a scan finds."""
