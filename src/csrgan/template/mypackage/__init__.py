"""My own networks, losses and degradations for csrgan."""
