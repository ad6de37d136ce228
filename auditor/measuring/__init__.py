"""What a worker measures of one file: its header, its pixels, its sketch, what tells of a person; masks and channels too."""
