#!/bin/sh
set -eu

version=0.1.0
releases=https://github.com/bproxy/bproxy/releases/download

usage() {
    cat <<'END'
Installs bproxy for this user, without root, or uninstalls it.

usage: install.sh [OPTION...] [TARBALL]
       install.sh --uninstall [--prefix DIR]

In an unpacked release it installs that release. Otherwise it installs the TARBALL, or downloads one. A tarball is
unpacked only if its SHA-256 is the expected one: the one in TARBALL.sha256, or the one given with --sha256.

  --prefix DIR      install into DIR/bin and DIR/share (default: ~/.local)
  --sha256 HEX      expect this SHA-256, for example the one on the release page if the tarball is from elsewhere
  --base-url URL    download from a mirror, which has URL/vVERSION/bproxy-VERSION-TARGET.tar.gz
  --release VERSION download this version instead of that of the script
  --target TARGET   download for this platform instead of the detected one, for example x86_64-unknown-linux-musl
  --uninstall       remove what was installed, the service first
  --version         print the version
  --help            print this
END
}

fail() {
    printf 'install.sh: %s\n' "$1" >&2
    exit 1
}

# The platform, as in the file names of releases.
find_target() {
    case $(uname -m) in
        x86_64 | amd64) machine=x86_64 ;;
        aarch64 | arm64) machine=aarch64 ;;
        *) machine= ;;
    esac
    case $machine:$(uname -s) in
        ?*:Darwin) echo "$machine-apple-darwin" ;;
        ?*:Linux)
            # Only the GNU C library has this variable; the musl build is static and runs with any C library.
            if getconf GNU_LIBC_VERSION >/dev/null 2>&1; then
                echo "$machine-unknown-linux-gnu"
            else
                echo "$machine-unknown-linux-musl"
            fi
            ;;
        *) fail "there is no release for $(uname -s) on $(uname -m): build it with \`cargo install bproxy\`" ;;
    esac
}

# download URL FILE
download() {
    case $1 in
        https:*) next=https ;;
        *) next=http,https ;;
    esac
    if command -v curl >/dev/null; then
        curl --fail --silent --show-error --location --proto-redir "=$next" --connect-timeout 30 --output "$2" "$1"
    elif command -v wget >/dev/null; then
        wget -q -T 30 -O "$2" "$1"
    else
        fail "there is neither curl nor wget: download $1 and its .sha256 by other means, then pass the file to install.sh"
    fi || fail "cannot download $1"
}

# check TARBALL: exits with an error unless its SHA-256 is the expected one.
check() {
    if [ -z "$expected" ]; then
        [ -r "$1.sha256" ] || fail "cannot check $1: there is no $1.sha256 beside it, and no --sha256"
        expected=$(cut -d ' ' -f 1 <"$1.sha256")
    fi
    expected=$(printf %s "$expected" | tr 'A-F' 'a-f')
    case $expected in
        *[!0-9a-f]*) fail "this is no SHA-256: $expected" ;;
    esac
    [ ${#expected} -eq 64 ] || fail "this is no SHA-256: $expected"
    if command -v sha256sum >/dev/null; then
        actual=$(sha256sum <"$1")
    elif command -v shasum >/dev/null; then
        actual=$(shasum -a 256 <"$1")
    else
        fail "there is neither sha256sum nor shasum to check $1 with"
    fi
    actual=${actual%% *}
    [ "$actual" = "$expected" ] ||
        fail "$1 has the wrong SHA-256, so it was not unpacked: expected $expected, found $actual"
}

# The folders below the prefix that the release needs and that do not exist, "./" for the prefix itself.
missing_folders() {
    {
        echo ./
        awk -F / '{ path = ""; for (i = 1; i < NF; i++) { path = path $i "/"; print path } }' "$source/files"
    } | sort -u | while IFS= read -r folder; do
        [ -d "$prefix/$folder" ] || echo "$folder"
    done
}

# Replaces $installed, the list of installed files and created folders, by the lines of standard input, atomically.
record() {
    sed '/^$/d' | sort -u >"$installed.new"
    mv -f "$installed.new" "$installed"
}

was_installed() {
    [ -e "$installed" ] && grep -qxF "$1" "$installed"
}

install() {
    "$source/bin/bproxy" --version >/dev/null 2>&1 || fail "this release does not run here. \
If the C library is not the GNU one, or an old one, use --target $(uname -m)-unknown-linux-musl"

    while IFS= read -r file; do
        [ ! -e "$prefix/$file" ] || was_installed "$file" ||
            fail "$prefix/$file exists and was not installed by install.sh: remove it first, or choose another --prefix"
    done <"$source/files"

    folders=$(missing_folders)
    if ! mkdir -p "$prefix/share/bproxy" 2>/dev/null || [ ! -w "$prefix/share/bproxy" ]; then
        fail "cannot write to $prefix: choose another --prefix"
    fi
    before=$(cat "$installed" 2>/dev/null || true)
    # Recorded before anything is copied: after an interruption, the next run knows what may be there.
    { printf '%s\n' "$before" "$folders" && cat "$source/files"; } | record

    while IFS= read -r file; do
        to=$prefix/$file
        # Replaced atomically, so that no file is ever incomplete and running programs keep the old one.
        if ! mkdir -p "${to%/*}" || ! cp "$source/$file" "$to.new" || ! mv -f "$to.new" "$to"; then
            fail "cannot write to $prefix: choose another --prefix"
        fi
    done <"$source/files"

    # Remove the files of an older version that this one does not have.
    printf '%s\n' "$before" | while IFS= read -r file; do
        case $file in
            '' | */) ;;
            *) grep -qxF "$file" "$source/files" || rm -f "$prefix/$file" ;;
        esac
    done
    {
        printf '%s\n' "$before" | grep '/$' || true
        printf '%s\n' "$folders"
        cat "$source/files"
    } | record

    echo "installed $("$program" --version | head -n 1) as $program"
    case ":$PATH:" in
        *":$prefix/bin:"*)
            first=$(command -v bproxy || true)
            [ "$first" = "$program" ] || echo "but your PATH has another one before it: $first"
            ;;
        *) echo "but $prefix/bin is not in your PATH: add it in your shell's profile, or use the full path" ;;
    esac
    if [ -n "$before" ]; then
        echo "To replace a running daemon by the new version: bproxy service restart"
    else
        echo "Next: bproxy service install --now; bproxy extension install"
    fi
}

# Whether the installed program is the user's service.
is_service() {
    config=${XDG_CONFIG_HOME:-$HOME/.config}
    for unit in "$config/systemd/user/bproxy.service" "$HOME/Library/LaunchAgents/io.github.bproxy.plist"; do
        if [ -e "$unit" ] && grep -qF "$program" "$unit"; then
            return 0
        fi
    done
    return 1
}

# Whether a daemon runs from the installed program, or from the one that an upgrade replaced.
is_running() {
    pid=$("$program" service status 2>/dev/null | sed -n 's/.*"pid":\([0-9]*\).*/\1/p')
    [ -n "$pid" ] || return 1
    # Others than root cannot read a daemon's /proc/PID/exe; its arguments begin with the path it was started by.
    running=$({ readlink "/proc/$pid/exe" || ps -o args= -p "$pid"; } 2>/dev/null)
    program_path=$(cd "$prefix/bin" && pwd -P)/bproxy
    case ${running% (deleted)} in
        "$program_path" | "$program_path "*) return 0 ;;
        *) return 1 ;;
    esac
}

uninstall() {
    [ -e "$installed" ] || fail "nothing to remove: there is no $installed"
    if is_service; then
        "$program" service uninstall >/dev/null || fail "the service is still there, so nothing was removed"
    elif is_running; then
        "$program" service stop >/dev/null || fail "the daemon still runs, so nothing was removed"
    fi
    # Inner folders first. A folder that has other files too is not empty, and stays.
    sort -r "$installed" | {
        folders=
        while IFS= read -r path; do
            case $path in
                /* | *..*) ;;
                */) folders="$folders$path
" ;;
                # Also the temporary file of an interrupted installation.
                *) rm -f "$prefix/$path" "$prefix/$path.new" ;;
            esac
        done
        rm -f "$installed"
        printf %s "$folders" | while IFS= read -r folder; do
            rmdir "$prefix/${folder#./}" 2>/dev/null || true
        done
    }
    echo "removed bproxy from $prefix"
    state=${BPROXY_HOME:-$HOME/.bproxy}
    if [ -e "$state" ]; then
        echo "Its state is still there: rm -r $state"
    fi
}

HOME=${HOME:-}
here=$(cd "$(dirname "$0")" && pwd)
if [ -e "$here/installed" ]; then
    # This is the copy in an installation's share/bproxy.
    prefix=${here%/share/bproxy}
else
    prefix=${HOME:+$HOME/.local}
fi
expected=
release=$version
target=
action=install
tarball=
while [ $# -gt 0 ]; do
    case $1 in
        --prefix | --sha256 | --base-url | --release | --target)
            [ -n "${2:-}" ] || fail "$1 needs a value; see --help"
            case $1 in
                --prefix) prefix=$2 ;;
                --sha256) expected=$2 ;;
                --base-url) releases=${2%/} ;;
                --release) release=${2#v} ;;
                --target) target=$2 ;;
            esac
            shift
            ;;
        --uninstall) action=uninstall ;;
        --version)
            echo "install.sh $version"
            exit
            ;;
        --help | -h)
            usage
            exit
            ;;
        -*) fail "there is no option $1; see --help" ;;
        *)
            [ -z "$tarball" ] || fail "one tarball at a time: $tarball or $1"
            tarball=$1
            ;;
    esac
    shift
done
[ -n "$prefix" ] || fail "there is no home directory: give a --prefix"
case $prefix in
    /*) ;;
    *) prefix=$PWD/$prefix ;;
esac
program=$prefix/bin/bproxy
installed=$prefix/share/bproxy/installed
umask 022
# The same sort order and messages in every locale.
LC_ALL=C
export LC_ALL

if [ $action = uninstall ]; then
    uninstall
    exit
fi

if [ -z "$tarball" ] && [ -z "$target" ] && [ -e "$here/files" ]; then
    source=$here
    install
    exit
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
if [ -z "$tarball" ]; then
    name=bproxy-$release-${target:-$(find_target)}.tar.gz
    tarball=$work/$name
    download "$releases/v$release/$name" "$tarball"
    [ -n "$expected" ] || download "$releases/v$release/$name.sha256" "$tarball.sha256"
elif [ ! -r "$tarball" ]; then
    fail "cannot read $tarball"
fi
check "$tarball"
mkdir "$work/unpacked"
tar -xzof "$tarball" -C "$work/unpacked" || fail "cannot unpack $tarball"
for source in "$work"/unpacked/*; do
    [ -e "$source/files" ] || fail "$tarball is not a release of bproxy"
    install
done
