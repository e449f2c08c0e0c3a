/* What workers say of voices and scores, and who hears of it. */
#include "server/on.h"
#include "tests/unit/check.h"
#include "tests/unit/server/world.h"

#include <string.h>

static const char *str(const json_t *data, const char *key)
{
    return json_string_value(json_object_get(data, key));
}

static void who_speaks_is_told_to_the_room(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, 2);
    struct edge_session *a = world_member(&w, "r", "a"), *b = world_member(&w, "r", "b");
    world_ask(&w, a, "produce", world_produce_data(a, "mic"), NULL);
    const struct producer *p = world_peer(a)->send->producers;
    const Althing__Request *rq =
        fake_find(&w.workers[0], ALTHING__REQUEST__METHOD_OBSERVE_AUDIO, 0);
    assert_non_null(rq);
    assert_int_equal(rq->observe_audio->speaker_interval_ms, 300);
    assert_null(fake_find(&w.workers[0], ALTHING__REQUEST__METHOD_OBSERVE_AUDIO, 1));
    Althing__DominantSpeaker speaker = ALTHING__DOMINANT_SPEAKER__INIT;
    speaker.producer = p->obj.handle;
    Althing__Event e = ALTHING__EVENT__INIT;
    e.kind_case = ALTHING__EVENT__KIND_DOMINANT_SPEAKER;
    e.dominant_speaker = &speaker;
    fake_event(&w.workers[1], &e); /* not its own */
    world_turn(&w);
    assert_null(world_told(b, "activeSpeaker"));
    fake_event(&w.workers[0], &e);
    world_turn(&w);
    assert_string_equal(str(world_told(a, "activeSpeaker"), "peerId"), "a");
    assert_string_equal(str(world_told(b, "activeSpeaker"), "peerId"), "a");
    assert_non_null(str(world_told(b, "activeSpeaker"), "sessionId"));
    speaker.producer = 0;
    fake_event(&w.workers[0], &e);
    world_turn(&w);
    assert_int_equal(world_times(b, "activeSpeaker"), 1);
    world_free(&w);
}

static void scores_reach_sender_and_receiver(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, 1);
    struct edge_session *a = world_member(&w, "r", "a"), *b = world_member(&w, "r", "b");
    world_ask(&w, a, "produce", world_produce_data(a, "webcam"), NULL);
    char rid[] = "r0";
    Althing__StreamScore stream = ALTHING__STREAM_SCORE__INIT, *streams[] = {&stream};
    stream.rid = rid;
    stream.score = 7;
    Althing__ScoreChanged score = ALTHING__SCORE_CHANGED__INIT;
    score.object = world_peer(a)->send->producers->obj.handle;
    score.score = 7;
    score.streams = streams;
    score.n_streams = 1;
    Althing__Event e = ALTHING__EVENT__INIT;
    e.kind_case = ALTHING__EVENT__KIND_SCORE;
    e.score = &score;
    fake_event(&w.workers[0], &e);
    score.object = world_peer(b)->recv->consumers->obj.handle;
    score.score = 9;
    score.producer_score = 7;
    fake_event(&w.workers[0], &e);
    world_turn(&w);
    const json_t *list = json_object_get(world_told(a, "producerScore"), "score");
    assert_string_equal(str(json_array_get(list, 0), "rid"), "r0");
    assert_int_equal(json_integer_value(json_object_get(json_array_get(list, 0), "score")), 7);
    const json_t *told = json_object_get(world_told(b, "consumerScore"), "score");
    assert_int_equal(json_integer_value(json_object_get(told, "score")), 9);
    assert_int_equal(json_integer_value(json_object_get(told, "producerScore")), 7);
    assert_int_equal(json_array_size(json_object_get(told, "producerScores")), 1);
    world_free(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_speaks_is_told_to_the_room),
        cmocka_unit_test(scores_reach_sender_and_receiver),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
