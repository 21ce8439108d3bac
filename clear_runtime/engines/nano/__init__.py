"""The bundled model: small enough to ship, trained from scratch by the commands in train/nano."""
