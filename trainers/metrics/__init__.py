"""What is measured on predictions, as sums per patient."""
