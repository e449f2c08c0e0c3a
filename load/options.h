/* options.h - the command line of althing-load. */
#ifndef ALTHING_LOAD_OPTIONS_H
#define ALTHING_LOAD_OPTIONS_H

#include "load/target.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define OPTIONS_PEERS_MAX 4000 /* of all rooms together */
#define OPTIONS_TOKEN_MAX 8192

struct options {
    struct target target;
    unsigned rooms, peers, senders; /* of each room: people, and those of them that send */
    uint32_t audio_bitrate;         /* 0: none */
    uint32_t video_bitrate;         /* 0: none */
    uint32_t fps, packet_bytes;
    unsigned layers; /* simulcast; 1: none */
    unsigned videos; /* that each receives at most */
    double duration_s, ramp_s;
    double until_loss;      /* percent; below 0: one measurement only */
    double until_latency_s; /* 95th percentile that ends the raising too */
    unsigned step;          /* rooms that each step of the raising adds */
    const char *json;       /* file, "-": standard output; NULL: none */
    const char *token_file; /* NULL: none */
    pid_t server_pid;       /* 0: not told */
    bool gro, congestion, insecure, quiet;
};

#define OPTIONS_OK   0
#define OPTIONS_DONE (-1) /* --help, --version: said */

/* OPTIONS_OK, OPTIONS_DONE, or an exit status; what is wrong was said. */
int options_read(struct options *o, int argc, char **argv);

/* "1000kbit/30fps/1200B": a rate, then frames and bytes of a packet, which may be left out; or "off". Pure. */
bool options_video(struct options *o, const char *text);
bool options_rate(const char *text, uint32_t *out); /* "40kbit", "1.5Mbit", "64000"; "off" is 0. Pure. */

#endif
