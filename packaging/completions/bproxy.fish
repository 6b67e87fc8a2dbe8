# Loads the completions from the program, so that both have the same version.
bproxy completions fish | source
