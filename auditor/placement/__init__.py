"""What files are and where they lie: images, masks, names, folder levels; the parts that the layouts are made of."""
