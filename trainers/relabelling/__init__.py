"""What networks and people make of labels and masks that are doubtful."""
