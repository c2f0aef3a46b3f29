"""Agents who act when what they can extract exceeds what it costs them."""
