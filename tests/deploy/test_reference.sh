#!/bin/sh
# test_reference.sh PAGE PROGRAM OPTION: the page is what the program's table says (PROGRAM OPTION >PAGE writes it).
"$2" "$3" | diff -u "$1" -
