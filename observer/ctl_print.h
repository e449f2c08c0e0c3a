/* ctl_print.h - what the observer answers, for people. Control characters in names are shown as '?'. */
#ifndef ALTHING_OBSERVER_CTL_PRINT_H
#define ALTHING_OBSERVER_CTL_PRINT_H

#include <jansson.h>
#include <stdio.h>

void ctl_print_snapshot(FILE *out, const json_t *snapshot);

#endif
