"""How fast the local system is, beside a floor: moto and the runner alone, doing the same work."""
