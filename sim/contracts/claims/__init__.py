"""The claims queue: from filing through a committee's decision to payment. The mechanism is ``mechanism.Claims``."""
