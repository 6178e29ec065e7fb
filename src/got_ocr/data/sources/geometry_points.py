"""Plane geometry on complex numbers: where lines meet, feet, centres, tangents. Pure functions, no luck, no drawing."""

import cmath
import math


def cross(a: complex, b: complex) -> float:
    """Give the signed area of the parallelogram of two vectors."""
    return (a.conjugate() * b).imag


def meet(a: complex, b: complex, c: complex, d: complex) -> complex:
    """Intersect the lines ab and cd, which must not be parallel."""
    t = cross(c - a, d - c) / cross(b - a, d - c)
    return a + t * (b - a)


def foot(p: complex, a: complex, b: complex) -> complex:
    """Drop the perpendicular from p on the line ab."""
    u = (b - a) / abs(b - a)
    return a + u * ((p - a) * u.conjugate()).real


def between(a: complex, b: complex, t: float = 0.5) -> complex:
    """Divide the way from a to b."""
    return a + (b - a) * t


def polar(radius: float, degrees: float) -> complex:
    """Give the place at a distance and angle from the origin."""
    return cmath.rect(radius, math.radians(degrees))


def circumcentre(a: complex, b: complex, c: complex) -> complex:
    """Give the centre of the circle through three places."""
    return meet(between(a, b), between(a, b) + 1j * (b - a), between(b, c), between(b, c) + 1j * (c - b))


def incentre(a: complex, b: complex, c: complex) -> complex:
    """Give the centre of the inscribed circle."""
    sides = (abs(b - c), abs(c - a), abs(a - b))
    return (sides[0] * a + sides[1] * b + sides[2] * c) / sum(sides)


def tangent_points(p: complex, center: complex, radius: float) -> tuple[complex, complex]:
    """Give the two places where the tangents from p touch a circle."""
    away = abs(p - center)
    spread = math.acos(radius / away)
    u = (p - center) / away
    return center + radius * u * cmath.exp(1j * spread), center + radius * u * cmath.exp(-1j * spread)


def angle_at(v: complex, p: complex, q: complex) -> float:
    """Measure the angle at v between p and q in degrees, 0 to 180."""
    return abs(math.degrees(cmath.phase((q - v) / (p - v))))
