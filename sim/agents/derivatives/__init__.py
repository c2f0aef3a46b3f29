"""Who buys and sells health derivatives, what they believe, what is reported, and how well a hedge works."""
