"""What tells of a person: rules, where to look, and what is shown of it."""
