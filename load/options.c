#include "load/options.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

#define RATE_MIN 8000
#define RATE_MAX 50000000

static void usage(FILE *out)
{
    fputs(
        "Usage: althing-load [OPTION]... wss://HOST[:PORT]/ROOM\n"
        "Joins a conferencing server as many people at once, and measures what they get.\n\n"
        "  --rooms=N            rooms: ROOM, or ROOM-1 to ROOM-N (1)\n"
        "  --peers=N            people in each (3)\n"
        "  --senders=N          those of them who send (all)\n"
        "  --audio=RATE         Opus, bits a second, or off (40kbit)\n"
        "  --video=RATE[/FPS][/BYTES]\n"
        "                       VP8, payload of a packet at most, or off (500kbit/30fps/1200B)\n"
        "  --simulcast=N        layers of video, each with 4 times the bits of the one below (1)\n"
        "  --videos=N           videos that each receives at most (all)\n"
        "  --duration=SECONDS   how long is measured (10)\n"
        "  --ramp=SECONDS       in which the people come (1 for each 20)\n"
        "  --until-loss=PERCENT add rooms, up to --rooms, until that much is lost\n"
        "  --until-latency=MS   ... or the 95th percentile of latency is over that (100)\n"
        "  --step=N             rooms added each time (1)\n"
        "  --json=FILE          write the results there too; - is standard output\n"
        "  --server-pid=PID     measure that process and its children, on this machine\n"
        "  --gro=on|off         take runs of datagrams in one piece (on)\n"
        "  --token-file=FILE    a token for the server, in the file's first line\n"
        "  --insecure           take any certificate\n"
        "  --quiet              no progress on the terminal\n"
        "  --help, --version\n",
        out);
}

/* ---- values ---- */

static bool read_double(const char *s, double min, double max, double *out)
{
    char *end;
    double v = strtod(s, &end);
    if (end == s || *end || !isfinite(v) || v < min || v > max)
        return false;
    *out = v;
    return true;
}

static bool read_count(const char *s, unsigned max, unsigned *out)
{
    double v;
    if (!read_double(s, 1, max, &v) || floor(v) < v)
        return false;
    *out = (unsigned)v;
    return true;
}

bool options_rate(const char *text, uint32_t *out)
{
    static const struct {
        const char *unit;
        double factor;
    } units[] = {{"", 1}, {"bit", 1}, {"kbit", 1e3}, {"mbit", 1e6}};
    char *end;
    if (strcmp(text, "off") == 0) {
        *out = 0;
        return true;
    }
    double v = strtod(text, &end);
    for (size_t i = 0; end != text && i < sizeof(units) / sizeof(units[0]); i++) {
        if (strcasecmp(end, units[i].unit) == 0 && v * units[i].factor >= RATE_MIN &&
            v * units[i].factor <= RATE_MAX) {
            *out = (uint32_t)lround(v * units[i].factor);
            return true;
        }
    }
    return false;
}

/* A number from min to max with that unit behind it. */
static bool read_unit(const char *text, const char *unit, uint32_t min, uint32_t max, uint32_t *out)
{
    char *end;
    unsigned long v = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || strcmp(end, unit) != 0 || v < min || v > max)
        return false;
    *out = (uint32_t)v;
    return true;
}

bool options_video(struct options *o, const char *text)
{
    char copy[64], *rest = copy;
    if (strlen(text) >= sizeof(copy))
        return false;
    snprintf(copy, sizeof(copy), "%s", text);
    if (!options_rate(strsep(&rest, "/"), &o->video_bitrate))
        return false;
    for (char *part; (part = strsep(&rest, "/"));)
        if (!read_unit(part, "fps", 1, 120, &o->fps) &&
            !read_unit(part, "B", 100, 1250, &o->packet_bytes))
            return false;
    return true;
}

static bool read_on_off(const char *s, bool *out)
{
    *out = strcmp(s, "on") == 0;
    return *out || strcmp(s, "off") == 0;
}

static bool read_pid(const char *s, pid_t *out)
{
    unsigned v;
    if (!read_count(s, 1 << 22, &v))
        return false;
    *out = (pid_t)v;
    return true;
}

/* ---- the command line ---- */

enum {
    ROOMS = 256,
    PEERS,
    SENDERS,
    AUDIO,
    VIDEO,
    SIMULCAST,
    VIDEOS,
    DURATION,
    RAMP,
    UNTIL_LOSS,
    UNTIL_LATENCY,
    STEP,
    JSON,
    SERVER_PID,
    GRO,
    CONGESTION,
    TOKEN_FILE,
    INSECURE,
    QUIET,
    HELP,
    VERSION,
};

static const struct option longs[] = {
    {"rooms", required_argument, NULL, ROOMS},
    {"peers", required_argument, NULL, PEERS},
    {"senders", required_argument, NULL, SENDERS},
    {"audio", required_argument, NULL, AUDIO},
    {"video", required_argument, NULL, VIDEO},
    {"simulcast", required_argument, NULL, SIMULCAST},
    {"videos", required_argument, NULL, VIDEOS},
    {"duration", required_argument, NULL, DURATION},
    {"ramp", required_argument, NULL, RAMP},
    {"until-loss", required_argument, NULL, UNTIL_LOSS},
    {"until-latency", required_argument, NULL, UNTIL_LATENCY},
    {"step", required_argument, NULL, STEP},
    {"json", required_argument, NULL, JSON},
    {"server-pid", required_argument, NULL, SERVER_PID},
    {"gro", required_argument, NULL, GRO},
    {"congestion", required_argument, NULL, CONGESTION},
    {"token-file", required_argument, NULL, TOKEN_FILE},
    {"insecure", no_argument, NULL, INSECURE},
    {"quiet", no_argument, NULL, QUIET},
    {"help", no_argument, NULL, HELP},
    {"version", no_argument, NULL, VERSION},
    {NULL, 0, NULL, 0},
};

static bool take_number(struct options *o, int c, const char *arg)
{
    double ms;
    switch (c) {
    case ROOMS:
        return read_count(arg, OPTIONS_PEERS_MAX, &o->rooms);
    case PEERS:
        return read_count(arg, OPTIONS_PEERS_MAX, &o->peers);
    case SENDERS:
        return read_count(arg, OPTIONS_PEERS_MAX, &o->senders);
    case SIMULCAST:
        return read_count(arg, 3, &o->layers);
    case VIDEOS:
        return read_count(arg, OPTIONS_PEERS_MAX, &o->videos);
    case STEP:
        return read_count(arg, OPTIONS_PEERS_MAX, &o->step);
    case DURATION:
        return read_double(arg, 0.5, 86400, &o->duration_s);
    case RAMP:
        return read_double(arg, 0, 3600, &o->ramp_s);
    case UNTIL_LOSS:
        return read_double(arg, 0, 100, &o->until_loss);
    case UNTIL_LATENCY:
        if (!read_double(arg, 1, 60000, &ms))
            return false;
        o->until_latency_s = ms / 1000;
        return true;
    default:
        return false;
    }
}

static bool take(struct options *o, int c, const char *arg)
{
    switch (c) {
    case AUDIO:
        return options_rate(arg, &o->audio_bitrate);
    case VIDEO:
        return options_video(o, arg);
    case JSON:
        o->json = arg;
        return *arg;
    case TOKEN_FILE:
        o->token_file = arg;
        return *arg;
    case SERVER_PID:
        return read_pid(arg, &o->server_pid);
    case GRO:
        return read_on_off(arg, &o->gro);
    case CONGESTION:
        return read_on_off(arg, &o->congestion);
    case INSECURE:
        return o->insecure = true;
    case QUIET:
        return o->quiet = true;
    default:
        return take_number(o, c, arg);
    }
}

static const char *name_of(int c)
{
    for (size_t i = 0; longs[i].name; i++)
        if (longs[i].val == c)
            return longs[i].name;
    return "?";
}

static int complain(const char *sentence, const char *what)
{
    fprintf(stderr, "althing-load: %s%s\nTry althing-load --help.\n", sentence, what);
    return EX_USAGE;
}

static int finish(struct options *o, int rest, char **argv)
{
    if (rest != 1)
        return complain(rest ? "only one room can be named" : "which server, which room?", "");
    const char *wrong = target_parse(&o->target, argv[0]);
    if (wrong)
        return complain(wrong, "");
    if (!o->senders || o->senders > o->peers)
        o->senders = o->peers;
    if (!o->audio_bitrate && !o->video_bitrate)
        return complain("neither audio nor video would be sent", "");
    if ((uint64_t)o->rooms * o->peers > OPTIONS_PEERS_MAX)
        return complain("that is more than 4000 people", "");
    if (o->ramp_s < 0)
        o->ramp_s = o->rooms * o->peers / 20.0;
    return OPTIONS_OK;
}

int options_read(struct options *o, int argc, char **argv)
{
    *o = (struct options){.rooms = 1,
                          .peers = 3,
                          .audio_bitrate = 40000,
                          .video_bitrate = 500000,
                          .fps = 30,
                          .packet_bytes = 1200,
                          .layers = 1,
                          .videos = OPTIONS_PEERS_MAX,
                          .duration_s = 10,
                          .ramp_s = -1,
                          .until_loss = -1,
                          .until_latency_s = 0.1,
                          .step = 1,
                          .gro = true,
                          .congestion = true};
    int c;
    while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
        if (c == HELP) {
            usage(stdout);
            return OPTIONS_DONE;
        }
        if (c == VERSION) {
            puts("althing-load " ALTHING_VERSION);
            return OPTIONS_DONE;
        }
        if (c == '?') {
            fputs("Try althing-load --help.\n", stderr);
            return EX_USAGE;
        }
        if (!take(o, c, optarg))
            return complain("not a value for --", name_of(c));
    }
    return finish(o, argc - optind, argv + optind);
}
