#!/bin/sh
# test_service.sh UNIT PROGRAM: systemd understands every line of the unit, and finds it well confined (1.5 of 10 at most).
command -v systemd-analyze >/dev/null || exit 77
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
sed "s|^ExecStart=.*|ExecStart=$2|" "$1" >"$folder/althing.service"
# Verify ends with 0 on unknown keys: what it says must be nothing.
said=$(systemd-analyze verify --man=no "$folder/althing.service" 2>&1)
if [ -n "$said" ]; then
    echo "$said"
    exit 1
fi
systemd-analyze security --offline=true --no-pager --threshold=15 "$folder/althing.service"
