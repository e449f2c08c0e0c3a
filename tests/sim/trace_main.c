/* trace_main.c - sim-trace [NAME [SEED]]: the names of the runs and their titles, or one run as
 * comma-separated values. */
#include "tests/sim/run.h"

#include <stdio.h>
#include <stdlib.h>

static void head(const struct run *r)
{
    printf("s,link_kbps,queue_ms");
    for (size_t i = 0; i < r->conf.flows; i++)
        printf(",target%zu_kbps,arrived%zu_kbps", i + 1, i + 1);
    printf(r->conf.tcp_to_s > 0 ? ",tcp_kbps\n" : "\n");
}

static void row(const struct run *r, size_t i)
{
    const struct run_sample *s = &r->s[i];
    printf("%.2f,%.0f,%.1f", (double)i * RUN_SAMPLE_US / 1e6, s->rate_bps / 1e3,
           (double)s->queue_us / 1e3);
    for (size_t k = 0; k < r->conf.flows; k++)
        printf(",%.0f,%.0f", s->target_bps[k] / 1e3, s->arrived_bps[k] / 1e3);
    if (r->conf.tcp_to_s > 0)
        printf(",%.0f", s->tcp_bps / 1e3);
    printf("\n");
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        for (size_t i = 0; run_at(i); i++)
            printf("%s\t%s\n", run_at(i)->name, run_at(i)->title);
        return 0;
    }
    const struct run_conf *conf = run_find(argv[1]);
    if (!conf) {
        fprintf(stderr, "sim-trace: no run is called %s\n", argv[1]);
        return 1;
    }
    struct run_conf seeded = *conf;
    if (argc > 2)
        seeded.seed = strtoull(argv[2], NULL, 10);
    struct run *r = run_do(&seeded);
    head(r);
    for (size_t i = 0; i < r->n; i++)
        row(r, i);
    free(r);
    return 0;
}
