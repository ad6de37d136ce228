"""What the command line can do; one module per kind of work. Each command parses, calls, and chooses the exit code."""
