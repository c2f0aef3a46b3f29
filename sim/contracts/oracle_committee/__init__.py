"""A committee of staked reporters: seats, commit and reveal, decision, slashing. Pure rules; no balances live here.

``rules`` states each formula on integers of any size; ``seats``, ``commitment``, ``decision`` and ``payout`` are the
same rules compiled over all claims of a day. A single claim is a batch of one.
"""
