"""Label noise: how much of it, which labels, and what people say who look at them."""
