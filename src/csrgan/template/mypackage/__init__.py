"""Networks, losses and degradations of my own for csrgan."""
