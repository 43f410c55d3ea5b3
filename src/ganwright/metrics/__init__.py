"""How good samples are: one measure a file, each a function of features of real and generated records."""
