"""Further factors of the degradation, one file each (see `csrgan.degradation.factor`)."""
