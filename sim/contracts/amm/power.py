"""Powers, exponentials and logarithms whose error is known, the same digits on every machine.

Decimal arithmetic is specified to the last digit (General Decimal Arithmetic: ``exp`` and ``ln`` correctly rounded),
where the C library's ``pow`` is not. Each function carries ``DIGITS`` significant digits and widens its answer by a
relative ``SLACK`` in the direction asked for, which exceeds by far what the few operations before it can have lost.
"""

from __future__ import annotations

from decimal import MAX_EMAX, MIN_EMIN, ROUND_CEILING, ROUND_FLOOR, Context, Decimal

DIGITS = 60
SLACK = Decimal(10) ** -50
CONTEXT = Context(prec=DIGITS, Emax=MAX_EMAX, Emin=MIN_EMIN)
_UP = Context(prec=4 * DIGITS, rounding=ROUND_CEILING, Emax=MAX_EMAX, Emin=MIN_EMIN)
_DOWN = Context(prec=4 * DIGITS, rounding=ROUND_FLOOR, Emax=MAX_EMAX, Emin=MIN_EMIN)


def whole(value: Decimal, up: bool) -> int:
    """The integer at or beyond ``value`` in the direction asked for, its error counted in."""
    context = _UP if up else _DOWN
    widened = context.add(value, context.multiply(abs(value), SLACK if up else -SLACK))
    return int(widened.to_integral_value(context=context))


def ratio(numerator: int, denominator: int) -> Decimal:
    """``numerator / denominator``."""
    return CONTEXT.divide(Decimal(numerator), Decimal(denominator))


def power(base: Decimal, exponent: Decimal) -> Decimal:
    """``base ** exponent`` for base > 0 and |exponent ln(base)| below 10^8."""
    return CONTEXT.exp(CONTEXT.multiply(exponent, CONTEXT.ln(base)))
