"""Automated market makers: the :class:`~sim.contracts.amm.interface.Pool` interface and its constant-product form."""
