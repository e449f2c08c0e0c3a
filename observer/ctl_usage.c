/* ctl_usage.c - processor time and memory of the server's processes, as the kernel says them. */
#include "observer/ctl.h"
#include "observer/ctl_text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SAMPLE_MS   500
#define PROCESS_MAX 260

struct process {
    const char *name;
    int index; /* of a worker; -1 */
    long pid;
    double cpu_s[2]; /* at two moments */
    double memory;   /* bytes resident */
    bool there;
};

/* proc(5): utime and stime are fields 14 and 15, rss is 24; the second one, in brackets, may have anything in it. */
static bool read_stat(struct process *p, int sample)
{
    char path[64], text[1024];
    snprintf(path, sizeof(path), "/proc/%ld/stat", p->pid);
    FILE *f = fopen(path, "re");
    if (!f)
        return false;
    size_t n = fread(text, 1, sizeof(text) - 1, f);
    fclose(f);
    text[n] = 0;
    char *after = strrchr(text, ')');
    unsigned long utime, stime;
    long rss;
    if (!after || sscanf(after + 1,
                         " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %*d %*d %*d %*d "
                         "%*d %*d %*u %*u %ld",
                         &utime, &stime, &rss) != 3)
        return false;
    p->cpu_s[sample] = (double)(utime + stime) / (double)sysconf(_SC_CLK_TCK);
    p->memory = (double)rss * (double)sysconf(_SC_PAGESIZE);
    return true;
}

static size_t processes_of(const struct ctl_model *m, struct process p[static PROCESS_MAX])
{
    static const char *const lists[][2] = {{"server", "server"}, {"workers", "worker"}};
    size_t n = 0;
    for (size_t l = 0; l < 2; l++) {
        size_t i;
        const json_t *o;
        json_array_foreach(json_object_get(m->snapshot, lists[l][0]), i, o)
        {
            long pid = (long)ctl_int(o, "pid", 0);
            if (pid > 0 && n < PROCESS_MAX)
                p[n++] = (struct process){
                    .name = lists[l][1], .index = (int)ctl_int(o, "index", -1), .pid = pid};
        }
    }
    return n;
}

static double percent(const struct process *p)
{
    return (p->cpu_s[1] - p->cpu_s[0]) * 100 * 1000 / SAMPLE_MS;
}

static void print_processes(struct ctl *c, const struct process *p, size_t n)
{
    json_t *all = json_object();
    char number[CTL_NUMBER_MAX], key[64];
    for (size_t i = 0; i < n; i++) {
        if (!p[i].there)
            continue;
        snprintf(key, sizeof(key), "%d", p[i].index);
        if (!c->json)
            fprintf(c->out, "%-6s %-3s pid %-8ld cpu %5.1f %%  memory %s\n", p[i].name,
                    p[i].index < 0 ? "" : key, p[i].pid, percent(&p[i]),
                    ctl_text_bytes(number, (int64_t)p[i].memory));
        json_t *o = json_object();
        json_object_set_new(o, "program", json_string(p[i].name));
        json_object_set_new(o, "cpu", json_real(percent(&p[i])));
        json_object_set_new(o, "cpuSeconds", json_real(p[i].cpu_s[1]));
        json_object_set_new(o, "memory", json_integer((json_int_t)p[i].memory));
        snprintf(key, sizeof(key), "%ld", p[i].pid);
        json_object_set_new(all, key, o);
    }
    if (c->json)
        ctl_print_json(c, all);
    json_decref(all);
}

int ctl_usage(struct ctl *c, int argc, char **argv)
{
    static const char *const kinds[] = {"server", "worker", NULL};
    static struct process p[PROCESS_MAX];
    struct ctl_model *m;
    if (argc > 1)
        return ctl_usage_error(c, ctl_command_find(argv[0]));
    int status = ctl_look(c, kinds, NULL, false, &m);
    if (status)
        return status;
    size_t n = processes_of(m, p);
    for (size_t i = 0; i < n; i++)
        p[i].there = read_stat(&p[i], 0);
    nanosleep(&(struct timespec){.tv_nsec = SAMPLE_MS * 1000000L}, NULL);
    for (size_t i = 0; i < n; i++)
        p[i].there = p[i].there && read_stat(&p[i], 1);
    print_processes(c, p, n);
    ctl_model_free(m);
    return CTL_OK;
}
