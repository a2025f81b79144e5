"""What Python programs use: models that are loaded and called. `csrgan` names what is public."""
