"""beartype, with an int accepted where a float is annotated, as type checkers do (PEP 484)."""

from beartype import BeartypeConf, beartype

numeric = beartype(conf=BeartypeConf(is_pep484_tower=True))
