"""Files read in bounded worker processes: what one may use, what is measured, what is remembered."""
