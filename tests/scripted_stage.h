/* tests/scripted_stage.h - a miner on a real socket that follows a script of recorded replies, and its owner, on one loop. */
#ifndef TESTS_SCRIPTED_STAGE_H
#define TESTS_SCRIPTED_STAGE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/miner_recording.h"
#include "tests/scripted_miner.h"

#define STAGE_ACTS 24

struct stage {
	uv_loop_t loop;
	struct scripted miner;
	struct owner owner;
	struct act acts[STAGE_ACTS];
	struct recording said[STAGE_ACTS];
};

static inline struct stage *stage_open(const char *driver, const struct act *acts, size_t n, struct miner_conf conf)
{
	struct stage *stage = calloc(1, sizeof *stage);
	uv_loop_init(&stage->loop);
	for (size_t i = 0; i < n; i++) {
		stage->acts[i] = acts[i];
		if (!acts[i].reply)
			continue;
		stage->said[i] = recording(acts[i].reply);
		stage->acts[i].reply = stage->said[i].text;
	}
	scripted_open(&stage->miner, &stage->loop, stage->acts, n);
	conf.host = conf.host ? conf.host : "127.0.0.1";
	conf.port = stage->miner.port;
	conf.timeout_ms = conf.timeout_ms ? conf.timeout_ms : 20000;
	owner_open(&stage->owner, driver, &stage->loop, &conf);
	return stage;
}

static inline bool stage_close(struct stage *stage)
{
	if (!stage->owner.closing)
		owner_close(&stage->owner);
	bool closed = loop_until(&stage->loop, &stage->owner.closed, 1);
	bool ended = all_ended(&stage->loop, &stage->miner);
	for (size_t i = 0; i < STAGE_ACTS; i++)
		free(stage->said[i].text);
	free(stage);
	return closed && ended;
}

static inline const struct miner_reading *poll_now(struct stage *stage)
{
	owner_poll(&stage->owner);
	assert_true(loop_until(&stage->loop, &stage->owner.readings, stage->owner.readings + 1));
	return &stage->owner.last;
}

static inline enum fault order_now(struct stage *stage, bool hash, int32_t limit_w)
{
	struct owner *owner = &stage->owner;
	owner_order(owner, hash, limit_w);
	assert_true(loop_until(&stage->loop, &owner->answers, owner->answers + 1));
	return owner->answered[owner->answers - 1];
}

#endif
