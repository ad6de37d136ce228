"""What names of files, folders and columns say."""
