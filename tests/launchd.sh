#!/bin/sh
# A life of the agent with the real launchd. For a macOS machine that is thrown away afterwards: it installs the program
# and the agent for the user who runs it.
# usage: tests/launchd.sh PROGRAM
set -eux

bin=$HOME/.local/bin
mkdir -p "$bin"
install -m 755 "$1" "$bin/bproxy"
PATH=$bin:$PATH
plist=$HOME/Library/LaunchAgents/io.github.bproxy.plist

expect() { # expect TEXT COMMAND...
    text=$1
    shift
    "$@" | tee /dev/stderr | grep -q "$text"
}

expect '"listening":true' bproxy service install --now --port 9700
plutil -lint "$plist"
expect '"managedBy":"launchd"' bproxy service status
# The first command starts the daemon.
expect '"ok":true' bproxy session list
expect '"activation":"launchd"' bproxy health
expect '"managedBy":"launchd"' bproxy service restart
expect '"running":true' bproxy service status
# A crash: the next command starts another.
kill -9 "$(cat "$HOME/.bproxy/bproxy.pid")"
expect '"ok":true' bproxy session list
expect '"running":false' bproxy service stop
if bproxy session list; then
    exit 1
fi
expect '"running":true' bproxy service start
expect '"installed":false' bproxy service uninstall
[ ! -e "$plist" ]
# The way of older systems, by hand.
bproxy service install --port 9700
launchctl load "$plist"
expect '"ok":true' bproxy session list
launchctl unload "$plist"
bproxy service uninstall
[ ! -e "$plist" ]
