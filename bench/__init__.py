"""The local system's speed, beside a floor: moto and the runner alone, with the same work."""
