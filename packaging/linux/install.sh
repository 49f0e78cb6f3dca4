#!/bin/sh
# Puts Semblance into your own menu, into "Open with" of file managers and into ~/.local/bin, or takes it out again.
# It needs no root and copies no program: this folder stays where it is, so move it first to where it may stay.
#
#     ./install.sh             once, and again after you moved the folder or unpacked a later version
#     ./install.sh --remove    your libraries, models and settings stay
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
data=${XDG_DATA_HOME:-"$HOME/.local/share"}
bin=$HOME/.local/bin
entry=$data/applications/semblance.desktop

# As the Desktop Entry Specification wants an argument of Exec: quoted, then escaped once more as any string is.
exec_argument() {
    printf '"%s"' "$(printf '%s' "$1" | sed 's/[\\"`$]/\\&/g; s/\\/\\\\/g')"
}

# Whether a name in ~/.local/bin is free or ours: a link into a folder of Semblance, or to one that was moved away.
is_ours() {
    if [ -L "$bin/$1" ]; then
        [ ! -e "$bin/$1" ] || [ -d "$(dirname -- "$(readlink -- "$bin/$1")")/_internal" ]
    else
        [ ! -e "$bin/$1" ]
    fi
}

# The program that the menu starts, read back from what exec_argument wrote.
in_menu() {
    sed -n 's/^Exec="\(.*\)" %F$/\1/p' "$entry" 2>/dev/null | sed 's/\\\\/\\/g; s/\\\([\\"`$]\)/\1/g'
}

# echo takes a backslash in a path for something else.
say() {
    printf '%s\n' "$1"
}

tell_desktop() {
    if command -v update-desktop-database >/dev/null 2>&1 && [ -d "$data/applications" ]; then
        update-desktop-database -q "$data/applications" || true
    fi
}

install_all() {
    case $here in
        *%* | *'
'*)
            say "Desktops start nothing from a folder with a % or a line break in its path. Move or rename it: $here" >&2
            exit 1
            ;;
    esac
    (cd "$here/share" && find . -type f -o -type l) | while IFS= read -r file; do
        mkdir -p "$data/$(dirname "$file")"
        rm -f "$data/$file"
        cp -P "$here/share/$file" "$data/$file"
    done
    EXEC=$(exec_argument "$here/semblance-window") awk '
        /^Exec=/ { print "Exec=" ENVIRON["EXEC"] " %F"; next }
        { print }
    ' "$here/share/applications/semblance.desktop" >"$entry.new"
    mv "$entry.new" "$entry"
    mkdir -p "$bin"
    for program in semblance semblance-window; do
        if is_ours "$program"; then
            ln -sfn "$here/$program" "$bin/$program"
        else
            say "$bin/$program is another program's and stays as it is; start $here/$program instead." >&2
        fi
    done
    tell_desktop
    say "Semblance is in your menu. To take it out again, run this with --remove."
}

remove_all() {
    program=$(in_menu)
    if [ "$program" != "$here/semblance-window" ] && [ -x "$program" ]; then
        say "Your menu has the Semblance in ${program%/*} and keeps it. This folder may be deleted: $here"
        return
    fi
    (cd "$here/share" && find . -type f -o -type l) | while IFS= read -r file; do
        rm -f "$data/$file"
        (cd "$data" && rmdir -p "$(dirname "${file#./}")" 2>/dev/null) || true # folders that hold nothing more
    done
    for program in semblance semblance-window; do
        if [ -L "$bin/$program" ] && is_ours "$program"; then
            rm "$bin/$program"
        fi
    done
    rmdir "$bin" 2>/dev/null || true # where it holds nothing more
    tell_desktop
    if [ "$(ls -A "$data/applications" 2>/dev/null)" = mimeinfo.cache ]; then # about nothing, written at installing
        rm -r "$data/applications"
    fi
    say "Semblance is out of your menu. Your libraries, models and settings are where they were."
    say "To remove the program too, delete this folder: $here"
}

case ${1-} in
    '') install_all ;;
    --remove) remove_all ;;
    *)
        say "usage: $0 [--remove]" >&2
        exit 2
        ;;
esac
