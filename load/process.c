#include "load/process.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int process_parse_stat(const char *line, struct process_stat *out)
{
    /* The name in brackets may have brackets and spaces in it. */
    const char *rest = strrchr(line, ')');
    int parent;
    unsigned long user, system;
    long resident;
    if (!rest || sscanf(rest + 1,
                        " %*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %*d %*d %*d %*d %*d "
                        "%*d %*u %*u %ld",
                        &parent, &user, &system, &resident) != 4)
        return -EBADMSG;
    *out = (struct process_stat){parent, user, system, resident > 0 ? (uint64_t)resident : 0};
    return 0;
}

static bool read_stat(pid_t pid, struct process_stat *out)
{
    char path[64], line[1024];
    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    FILE *f = fopen(path, "re");
    if (!f)
        return false;
    size_t n = fread(line, 1, sizeof(line) - 1, f);
    fclose(f);
    line[n] = '\0';
    return process_parse_stat(line, out) == 0;
}

static bool has(const struct process_tree *t, pid_t pid)
{
    for (size_t i = 0; i < t->n; i++)
        if (t->pids[i] == pid)
            return true;
    return false;
}

/* Adds the children of those that are there; says whether there were any. */
static bool add_children(struct process_tree *t)
{
    bool added = false;
    DIR *d = opendir("/proc");
    for (struct dirent *e; d && (e = readdir(d));) {
        struct process_stat stat;
        pid_t pid = isdigit((unsigned char)e->d_name[0]) ? atoi(e->d_name) : 0;
        if (pid <= 0 || has(t, pid) || !read_stat(pid, &stat) || !has(t, stat.parent) ||
            t->n == PROCESS_MAX)
            continue;
        t->pids[t->n++] = pid;
        added = true;
    }
    if (d)
        closedir(d);
    return added;
}

void process_find(struct process_tree *t, pid_t root)
{
    struct process_stat stat;
    *t = (struct process_tree){0};
    if (!read_stat(root, &stat))
        return;
    t->pids[t->n++] = root;
    while (add_children(t))
        continue;
}

struct process_usage process_usage(const struct process_tree *t)
{
    struct process_usage u = {0};
    int64_t tick_us = 1000000 / sysconf(_SC_CLK_TCK);
    for (size_t i = 0; i < t->n; i++) {
        struct process_stat stat;
        if (!read_stat(t->pids[i], &stat))
            continue;
        u.user_us += (int64_t)stat.user_ticks * tick_us;
        u.system_us += (int64_t)stat.system_ticks * tick_us;
        u.resident_bytes += stat.resident_pages * (uint64_t)sysconf(_SC_PAGESIZE);
    }
    return u;
}
