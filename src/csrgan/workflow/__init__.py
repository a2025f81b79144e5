"""Steps that several commands share: which system, what a run says first and last, how it goes on, how a sweep is run."""
