"""The Python interface: load and call models, degrade, evaluate. `csrgan` names what is public."""
