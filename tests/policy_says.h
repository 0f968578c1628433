/* tests/policy_says.h - what the examples of the control law begin with and ask for. */
#ifndef TESTS_POLICY_SAYS_H
#define TESTS_POLICY_SAYS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "tests/policy_rig.h"

#define ROOM_W (RIG_CAP_W - RIG_RESERVE_W)

/* A site that has been held for a while: `awake` miners beside what fills it up to the limit less the reserve. */
static inline void begin(struct rig *rig, uint32_t awake)
{
	rig_init(rig, ROOM_W - awake * RIG_MINER_W, awake);
	rig_run(rig, 75000);
	assert_int_equal(rig->sleeps + rig->wakes, 0);
}

static inline int64_t moved_w(const struct rig *rig)
{
	int64_t sum_w = 0;
	for (uint32_t c = 0; c < rig->out.n_commands; c++)
		sum_w += rig->commands[c].to_w - rig->commands[c].from_w;
	return sum_w;
}

static inline void assert_did(const struct rig *rig, int64_t watts, enum reason reason, enum binding binding)
{
	assert_int_equal(moved_w(rig), watts);
	assert_string_equal(reason_name(rig->out.reason), reason_name(reason));
	assert_string_equal(binding_name(rig->out.binding), binding_name(binding));
}

static inline void assert_nothing(const struct rig *rig)
{
	assert_int_equal(rig->out.n_commands, 0);
	assert_string_equal(reason_name(rig->out.reason), "none");
}

#endif
