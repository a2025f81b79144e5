"""Networks of other people, read from their files without running anything that the files hold."""
