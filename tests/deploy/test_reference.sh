#!/bin/sh
# test_reference.sh PROGRAM PAGE: the configuration page is what the program's table says (althing --help-config writes it).
"$1" --help-config | diff -u "$2" -
