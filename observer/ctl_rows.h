/* ctl_rows.h - streams as rows of a table, for list, bad and top. */
#ifndef ALTHING_OBSERVER_CTL_ROWS_H
#define ALTHING_OBSERVER_CTL_ROWS_H

#include "observer/ctl.h"
#include "observer/ctl_cause.h"

/* A stream that was judged. */
struct ctl_row {
    const struct ctl_stream *s;
    unsigned severity; /* 0: nothing is wrong */
    char cause[CTL_CAUSE_MAX];
};

enum ctl_sort { CTL_SORT_CAUSE, CTL_SORT_RATE, CTL_SORT_LOSS, CTL_SORT_SCORE, CTL_SORT_RTT, CTL_SORT_NAME, CTL_SORTS };
const char *ctl_sort_name(enum ctl_sort sort);
bool ctl_sort_of(const char *name, enum ctl_sort *sort);

/* Judged and sorted, to be freed; bad_only: those without a finding are left out. room NULL: of all. */
struct ctl_row *ctl_rows(const struct ctl_model *m, const char *room, bool bad_only, enum ctl_sort sort, size_t *n);
/* A table of them, the cause last. */
void ctl_rows_table(const struct ctl *c, const struct ctl_row *rows, size_t n, struct ctl_table **t);
json_t *ctl_row_json(const struct ctl_row *r);

enum ctl_tone ctl_tone_score(int64_t score);
enum ctl_tone ctl_tone_loss(int64_t loss);
enum ctl_tone ctl_tone_rtt(int64_t rtt_us);
/* "2.1/3.2": what a consumer is sent, of what it could get; "": it has no layers. */
const char *ctl_layers(char out[static 32], const struct ctl_stream *s);
/* An id as people see it: its first characters, or all of it. */
const char *ctl_id(const struct ctl *c, char out[static 64], const char *id);

#endif
