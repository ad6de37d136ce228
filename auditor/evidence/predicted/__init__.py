"""What the files of predictions that a user names hold."""
