# Loads the completions from the program, so that both have the same version.
source <(bproxy completions bash)
