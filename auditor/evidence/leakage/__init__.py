"""What gives the class away besides the pictures: words in paths, order, columns that come after the diagnosis."""
