"""What image containers say and hold, read with bounds: the parts that the readers are made of."""
