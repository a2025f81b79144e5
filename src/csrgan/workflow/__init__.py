"""Steps that several commands share: choose a system, describe and conclude a run, resume it, run a sweep."""
