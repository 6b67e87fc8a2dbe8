# Asks the program for its part of bash, so that both are always of one version.
source <(bproxy completions bash)
