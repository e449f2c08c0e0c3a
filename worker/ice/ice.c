/* How a check is authenticated: libnice's STUN agent parses the message, checks FINGERPRINT and MESSAGE-INTEGRITY with the password
 * that our callback finds for its user name, and composes the answer. One StunAgent serves all of a worker: it keeps state only for
 * requests that we would send, and we send none. */
#include "worker/ice/ice.h"

#include "lib/clock.h"
#include "lib/mem.h"
#include "worker/ice/stun.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <stun/stunagent.h>
#include <stun/usages/ice.h>

#define NOMINATION_DRAFT 0x0030 /* the number that some browsers use besides libnice's 0xC001 */

struct credentials {
    char ufrag[ICE_UFRAG_MAX + 1];
    char password[ICE_PASSWORD_MAX + 1];
};

struct path {
    struct tuple tuple;
    int64_t seen_us; /* last authenticated check: consent (RFC 7675) */
    bool media;      /* came from there */
};

struct ice {
    struct credentials now;
    struct credentials old; /* ufrag "": none */
    int64_t consent_us;
    const struct ice_handlers *handlers;
    void *arg;
    enum ice_state state;
    struct path paths[ICE_TUPLES_MAX];
    size_t n_paths;
    struct tuple selected;
    bool has_selected;
    uint32_t nomination;  /* highest nomination number seen */
    int64_t probation_us; /* of the selected tuple, until then; 0: none */
    struct tuple before;  /* and the one that was selected, and its number */
    uint32_t nomination_before;
    int64_t wary_us; /* until then */
};

static StunAgent agent;

static void agent_init(void)
{
    static bool done;
    static const uint16_t known[] = {STUN_ATTRIBUTE_USERNAME,
                                     STUN_ATTRIBUTE_MESSAGE_INTEGRITY,
                                     STUN_ATTRIBUTE_ERROR_CODE,
                                     STUN_ATTRIBUTE_UNKNOWN_ATTRIBUTES,
                                     STUN_ATTRIBUTE_PRIORITY,
                                     STUN_ATTRIBUTE_USE_CANDIDATE,
                                     STUN_ATTRIBUTE_XOR_MAPPED_ADDRESS,
                                     NOMINATION_DRAFT,
                                     0};
    if (done)
        return;
    stun_agent_init(&agent, known, STUN_COMPATIBILITY_RFC5389,
                    STUN_AGENT_USAGE_SHORT_TERM_CREDENTIALS | STUN_AGENT_USAGE_USE_FINGERPRINT);
    done = true;
}

void ice_free(struct ice *ice)
{
    if (!ice)
        return;
    explicit_bzero(&ice->now, sizeof(ice->now));
    explicit_bzero(&ice->old, sizeof(ice->old));
    free(ice);
}

static int credentials_set(struct credentials *c, const char *ufrag, const char *password)
{
    size_t u = strlen(ufrag), p = strlen(password);
    if (u < 4 || u > ICE_UFRAG_MAX || p < 22 || p > ICE_PASSWORD_MAX)
        return -EINVAL;
    memcpy(c->ufrag, ufrag, u + 1);
    memcpy(c->password, password, p + 1);
    return 0;
}

int ice_new(struct ice **ip, const char *ufrag, const char *password, int64_t consent_us,
            const struct ice_handlers *handlers, void *arg)
{
    agent_init();
    struct ice *ice = mem_zalloc(sizeof(*ice));
    int err = credentials_set(&ice->now, ufrag, password);
    if (err) {
        free(ice);
        return err;
    }
    ice->consent_us = consent_us;
    ice->handlers = handlers;
    ice->arg = arg;
    *ip = ice;
    return 0;
}

/* The one place where the state changes. */
static void set_state(struct ice *ice, enum ice_state to)
{
    enum ice_state from = ice->state;
    if (from == to)
        return;
    ice->state = to;
    if (ice->handlers->state)
        ice->handlers->state(from, to, ice->arg);
}

static void select_tuple(struct ice *ice, const struct tuple *t)
{
    if (ice->has_selected && tuple_equal(&ice->selected, t))
        return;
    ice->selected = *t;
    ice->has_selected = true;
    if (ice->handlers->selected)
        ice->handlers->selected(&ice->selected, ice->arg);
}

static struct path *find_path(const struct ice *ice, const struct tuple *t)
{
    for (size_t i = 0; i < ice->n_paths; i++)
        if (tuple_equal(&ice->paths[i].tuple, t))
            return (struct path *)&ice->paths[i];
    return NULL;
}

static bool is_selected(const struct ice *ice, const struct path *p)
{
    return ice->has_selected && tuple_equal(&ice->selected, &p->tuple);
}

static void remove_path(struct ice *ice, struct path *p)
{
    struct tuple gone = p->tuple;
    *p = ice->paths[--ice->n_paths];
    if (ice->handlers->tuple_removed)
        ice->handlers->tuple_removed(&gone, ice->arg);
}

/* After the selected tuple went: the one that was heard of last takes its place; without any, consent is lost. */
static void select_another(struct ice *ice)
{
    const struct path *best = NULL;
    for (size_t i = 0; i < ice->n_paths; i++)
        if (!best || ice->paths[i].seen_us > best->seen_us)
            best = &ice->paths[i];
    ice->has_selected = false;
    ice->nomination = 0;
    ice->probation_us = 0;
    if (best) {
        struct tuple t = best->tuple;
        set_state(ice, ICE_CONNECTED);
        select_tuple(ice, &t);
    } else {
        set_state(ice, ICE_DISCONNECTED);
    }
}

static void make_room(struct ice *ice)
{
    struct path *oldest = NULL;
    for (size_t i = 0; i < ice->n_paths; i++) {
        struct path *p = &ice->paths[i];
        bool former = ice->probation_us && tuple_equal(&ice->before, &p->tuple);
        if (!is_selected(ice, p) && !former && (!oldest || p->seen_us < oldest->seen_us))
            oldest = p;
    }
    remove_path(ice, oldest);
}

static void heard_from(struct ice *ice, const struct tuple *from, int64_t now_us)
{
    struct path *p = find_path(ice, from);
    if (!p) {
        if (ice->n_paths == ICE_TUPLES_MAX)
            make_room(ice);
        p = &ice->paths[ice->n_paths++];
        p->tuple = *from;
        p->media = false;
        if (ice->handlers->tuple_added)
            ice->handlers->tuple_added(from, ice->arg);
    }
    p->seen_us = now_us;
}

/* ---- checks ---- */

/* Whose password the USERNAME "ours:theirs" asks for. */
static struct credentials *find_credentials(struct ice *ice, const uint8_t *username, size_t len)
{
    struct credentials *both[] = {&ice->now, &ice->old};
    for (size_t i = 0; i < 2; i++) {
        size_t n = strlen(both[i]->ufrag);
        if (n && len > n && username[n] == ':' && memcmp(username, both[i]->ufrag, n) == 0)
            return both[i];
    }
    return NULL;
}

/* libnice compares the MAC byte by byte and stops at the first that differs, which tells a patient stranger how far he is. So we look
 * first, in constant time, and libnice sees only what is authentic. */
static bool authentic(struct ice *ice, const uint8_t *msg, size_t len)
{
    size_t n;
    const uint8_t *username = stun_attribute(msg, len, STUN_USERNAME_TYPE, &n);
    const struct credentials *c = username ? find_credentials(ice, username, n) : NULL;
    return c && stun_authentic(msg, len, c->password);
}

static bool find_password(StunAgent *a, StunMessage *m, uint8_t *username, uint16_t len,
                          uint8_t **password, size_t *password_len, void *arg)
{
    (void)a;
    (void)m;
    struct credentials *c = find_credentials(arg, username, len);
    if (!c)
        return false;
    *password = (uint8_t *)c->password;
    *password_len = strlen(c->password);
    return true;
}

static size_t finish(StunMessage *answer)
{
    return stun_agent_finish_message(&agent, answer, NULL, 0);
}

static size_t answer_error(const StunMessage *request, StunError code, uint8_t *reply)
{
    StunMessage answer;
    if (!stun_agent_init_error(&agent, &answer, reply, ICE_REPLY_MAX, request, code))
        return 0;
    return finish(&answer);
}

static size_t answer_unknown(const StunMessage *request, uint8_t *reply)
{
    StunMessage answer;
    if (!stun_agent_build_unknown_attributes_error(&agent, &answer, reply, ICE_REPLY_MAX, request))
        return 0;
    return finish(&answer);
}

static size_t answer_success(const StunMessage *request, const struct tuple *from, uint8_t *reply)
{
    StunMessage answer;
    struct sockaddr_storage ss;
    int family = addr_is_ipv4(&from->remote) ? AF_INET : AF_INET6;
    socklen_t n = addr_to_sockaddr(&from->remote, family, &ss);
    if (!stun_agent_init_response(&agent, &answer, reply, ICE_REPLY_MAX, request))
        return 0;
    if (stun_message_append_xor_addr(&answer, STUN_ATTRIBUTE_XOR_MAPPED_ADDRESS, &ss, n) !=
        STUN_MESSAGE_RETURN_SUCCESS)
        return 0;
    return finish(&answer);
}

/* USE-CANDIDATE, or a nomination number (draft-thatcher-ice-renomination) that is not below an earlier one. */
static bool nominates(struct ice *ice, const StunMessage *request)
{
    uint32_t number;
    if (stun_message_find32(request, STUN_ATTRIBUTE_NOMINATION, &number) ==
            STUN_MESSAGE_RETURN_SUCCESS ||
        stun_message_find32(request, (StunAttribute)NOMINATION_DRAFT, &number) ==
            STUN_MESSAGE_RETURN_SUCCESS) {
        if (number < ice->nomination)
            return false;
        ice->nomination = number;
        return true;
    }
    return stun_message_has_attribute(request, STUN_ATTRIBUTE_USE_CANDIDATE);
}

/* The first check with the new credentials ends the old ones (RFC 8445 9). */
static void retire_old(struct ice *ice, const StunMessage *request)
{
    uint16_t len;
    const uint8_t *username = stun_message_find(request, STUN_ATTRIBUTE_USERNAME, &len);
    size_t n = strlen(ice->now.ufrag);
    if (ice->old.ufrag[0] && username && len > n && username[n] == ':' &&
        memcmp(username, ice->now.ufrag, n) == 0)
        explicit_bzero(&ice->old, sizeof(ice->old));
}

/* ---- probation ---- */

/* More came from the selected tuple. */
static void confirm(struct ice *ice, const struct tuple *from)
{
    if (ice->probation_us && tuple_equal(&ice->selected, from))
        ice->probation_us = 0;
}

static void nominate(struct ice *ice, const struct tuple *t, uint32_t nomination_before,
                     int64_t now_us)
{
    bool moves = ice->has_selected && !tuple_equal(&ice->selected, t);
    if (moves && now_us < ice->wary_us && !find_path(ice, t)->media) {
        ice->nomination = nomination_before;
        return;
    }
    if (moves && !ice->probation_us) {
        ice->before = ice->selected;
        ice->nomination_before = nomination_before;
    }
    if (moves)
        ice->probation_us = now_us + ICE_PROBATION_US;
    select_tuple(ice, t);
    set_state(ice, ICE_COMPLETED);
}

static void fail_probation(struct ice *ice, int64_t now_us)
{
    ice->probation_us = 0;
    ice->wary_us = now_us + ICE_WARY_US;
    remove_path(ice, find_path(ice, &ice->selected));
    if (find_path(ice, &ice->before)) {
        ice->nomination = ice->nomination_before;
        select_tuple(ice, &ice->before);
    } else {
        select_another(ice);
    }
}

static size_t take_check(struct ice *ice, const struct tuple *from, const StunMessage *request,
                         int64_t now_us, uint8_t *reply)
{
    uint32_t priority;
    if (stun_message_find32(request, STUN_ATTRIBUTE_PRIORITY, &priority) !=
        STUN_MESSAGE_RETURN_SUCCESS)
        return answer_error(request, STUN_ERROR_BAD_REQUEST, reply);
    if (stun_message_has_attribute(request, STUN_ATTRIBUTE_ICE_CONTROLLED))
        return answer_error(request, STUN_ERROR_ROLE_CONFLICT, reply);
    size_t n = answer_success(request, from, reply);
    if (!n)
        return 0;
    retire_old(ice, request);
    heard_from(ice, from, now_us);
    confirm(ice, from);
    uint32_t before = ice->nomination;
    if (nominates(ice, request)) {
        nominate(ice, from, before, now_us);
    } else if (!ice->has_selected) {
        select_tuple(ice, from);
        if (ice->state != ICE_COMPLETED)
            set_state(ice, ICE_CONNECTED);
    }
    return n;
}

size_t ice_input(struct ice *ice, const struct tuple *from, const uint8_t *msg, size_t len,
                 int64_t now_us, uint8_t reply[static ICE_REPLY_MAX])
{
    StunMessage request;
    if (len > 2000 || !authentic(ice, msg, len))
        return 0;
    StunValidationStatus status =
        stun_agent_validate(&agent, &request, msg, len, find_password, ice);
    if (status != STUN_VALIDATION_SUCCESS && status != STUN_VALIDATION_UNKNOWN_REQUEST_ATTRIBUTE)
        return 0;
    /* Authenticated means that libnice found a key for it. */
    if (!request.key || stun_message_get_class(&request) != STUN_REQUEST ||
        stun_message_get_method(&request) != STUN_BINDING)
        return 0;
    if (status == STUN_VALIDATION_UNKNOWN_REQUEST_ATTRIBUTE)
        return answer_unknown(&request, reply);
    return take_check(ice, from, &request, now_us, reply);
}

/* ---- the rest ---- */

bool ice_is_valid(const struct ice *ice, const struct tuple *t)
{
    return find_path(ice, t) != NULL;
}

const struct tuple *ice_selected(const struct ice *ice)
{
    return ice->has_selected ? &ice->selected : NULL;
}

enum ice_state ice_state(const struct ice *ice)
{
    return ice->state;
}

void ice_media_from(struct ice *ice, const struct tuple *from)
{
    struct path *p = find_path(ice, from);
    if (!p)
        return;
    p->media = true;
    confirm(ice, from);
    if (ice->state == ICE_CONNECTED)
        select_tuple(ice, from);
}

void ice_forget_sock(struct ice *ice, uint32_t sock)
{
    bool lost = false;
    for (size_t i = ice->n_paths; i-- > 0;) {
        struct path *p = &ice->paths[i];
        if (p->tuple.proto != NET_TCP || p->tuple.sock != sock)
            continue;
        lost = lost || is_selected(ice, p);
        remove_path(ice, p);
    }
    if (lost)
        select_another(ice);
}

int ice_restart(struct ice *ice, const char *ufrag, const char *password)
{
    struct credentials fresh;
    int err = credentials_set(&fresh, ufrag, password);
    if (err)
        return err;
    ice->old = ice->now;
    ice->now = fresh;
    ice->nomination = 0;
    return 0;
}

const char *ice_ufrag(const struct ice *ice)
{
    return ice->now.ufrag;
}

const char *ice_old_ufrag(const struct ice *ice)
{
    return ice->old.ufrag;
}

int64_t ice_next_us(const struct ice *ice)
{
    int64_t next = ice->probation_us ? ice->probation_us : TIME_NEVER_US;
    for (size_t i = 0; ice->consent_us && i < ice->n_paths; i++)
        next = time_min_us(next, ice->paths[i].seen_us + ice->consent_us);
    return next;
}

void ice_timer(struct ice *ice, int64_t now_us)
{
    bool lost = false;
    if (ice->probation_us && ice->probation_us <= now_us)
        fail_probation(ice, now_us);
    for (size_t i = ice->n_paths; ice->consent_us && i-- > 0;) {
        struct path *p = &ice->paths[i];
        if (p->seen_us + ice->consent_us > now_us)
            continue;
        lost = lost || is_selected(ice, p);
        remove_path(ice, p);
    }
    if (lost)
        select_another(ice);
}
