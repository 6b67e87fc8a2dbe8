# Asks the program for its part of fish, so that both are always of one version.
bproxy completions fish | source
