/* Random sites: sound meters are not accused, and one that lies never puts the site far over its cap. */
#include "tests/fusion_bench.h"

#include <stdio.h>
#include <stdlib.h>

struct chance { uint64_t seed, n; };

static int64_t upto(struct chance *c, int64_t n)
{
	return (int64_t)(dice(c->seed, c->n++, 0) % (uint64_t)(n + 1));
}

static uint64_t seed_of(void)
{
	const char *told = getenv("MULLET_SEED");
	return told ? strtoull(told, NULL, 0) : 20261127;
}

/* Miners a fifth off, PDUs one per cent, house and GPUs that move as they like: with dips, jobs, orders. */
static void random_bench(struct chance *c, struct bench *b)
{
	*b = (struct bench){ .n = (uint64_t)upto(c, 1000000) };
	rig_init(&b->rig, 300 * KW + upto(c, 600) * KW, (uint32_t)upto(c, ALL));
	b->rig.house_w = upto(c, 60) * KW;
	b->rig.conf.reserve_w = upto(c, 1) ? POLICY_NONE : RIG_RESERVE_W;
	b->rig.conf.target_w = upto(c, 3) ? POLICY_NONE : 700 * KW + upto(c, 300) * KW;
	b->rig.miner_groups[1].priority = (int16_t)(40 + upto(c, 1) * 20);
	for (int i = 0; i < 2; i++) {
		b->lies.own_permille[i] = 800 + upto(c, 400);
		b->lies.pdu_error_permille[i] = upto(c, 20) - 10;
	}
}

struct life { int64_t level_w, house_w, dip_w, period_ms, dip_ms, heat_w, cooling_permille; };

static struct life new_life(struct chance *c, const struct bench *b)
{
	return (struct life){ .level_w = b->rig.gpus_w, .heat_w = b->rig.gpus_w, .house_w = b->rig.house_w,
	                      .cooling_permille = upto(c, 1) * upto(c, 250) };
}

static void live(struct chance *c, struct bench *b, struct life *life, bool rises)
{
	if (upto(c, 400) == 0) {
		int64_t level_w = 200 * KW + upto(c, 700) * KW;
		life->level_w = rises || level_w < life->level_w ? level_w : life->level_w;
		life->dip_w = (upto(c, 2) == 0) * upto(c, 30) * life->level_w / 100;
		life->period_ms = 2000 + upto(c, 40000);
		life->dip_ms = life->period_ms * upto(c, 60) / 100;
	}
	if (rises && upto(c, 2000) == 0)
		life->house_w = upto(c, 150) * KW;
	life->heat_w += (b->rig.gpus_w - life->heat_w) / 120;   /* cooling follows over half a minute */
	if (upto(c, 300) == 0)
		limit(b, upto(c, 1) ? POLICY_NONE : true_w(b) - upto(c, 70) * KW);
	bool dips = life->period_ms && b->rig.now_ms % life->period_ms < life->dip_ms;
	b->rig.gpus_w = life->level_w - (dips ? life->dip_w : 0) + upto(c, 4) * KW;
	b->rig.house_w = life->house_w + life->heat_w / 1000 * life->cooling_permille;
	uint32_t miner = (uint32_t)upto(c, ALL - 1);
	if (upto(c, 300) == 0)          /* one goes dark, or comes back */
		b->rig.miners[miner].mute ^= true;
}

/* PDUs are read one after the other, each every other second. */
static void step_in_turn(struct bench *b)
{
	struct meter_reading before[RIG_METERS];
	memcpy(before, b->rig.meters, sizeof(before));
	look(b);
	for (int p = RIG_PDU_1; p <= RIG_PDU_2; p++)
		if (before[p].fault == FAULT_NONE && (b->rig.now_ms / RIG_STEP_MS + p) % 4)
			b->rig.meters[p] = before[p];
	rig_decide(&b->rig);
}

static void sound_step(struct chance *c, struct bench *b, struct life *life, bool rises)
{
	live(c, b, life, rises);
	step_in_turn(b);
}

static void sound_sites_are_not_accused(void **unused)
{
	struct chance c = { seed_of(), 0 };
	uint32_t moves = 0, seen = 0, known = 0;
	printf("seed %llu (MULLET_SEED)\n", (unsigned long long)c.seed);
	for (int site = 0; site < 40; site++) {
		struct bench b;
		random_bench(&c, &b);
		struct life life = new_life(&c, &b);
		for (int i = 0; i < 10000; i++) {
			sound_step(&c, &b, &life, true);
			assert_no_lie(&b);
		}
		moves += fusion(&b)->gpus.n;
		for (size_t g = 0; g < 2; g++) {
			struct policy_bias bias = policy_bias(&b.rig.state, g);
			seen += bias.seen;
			int64_t truth = 1000000 / b.lies.own_permille[g];
			if (!bias.known)
				continue;
			known++;
			assert_in_range(bias.permille, truth - 120, truth + 120);
		}
	}
	printf("%u moves of GPUs and %u of miners compared, %u biases known\n", moves, seen, known);
	assert_true(moves > 1000 && known + seen > 20);
	(void)unused;
}

/* So they see dips of all GPUs one after the other, or one of them always does: no sum of theirs leaps for that. */
static void dips_between_readings_are_no_leaps(void **unused)
{
	for (int64_t period_ms = 8 * SEC; period_ms <= 16 * SEC; period_ms += 50)
		for (int64_t level_w = 700 * KW; level_w <= 800 * KW; level_w += 50 * KW) {
			struct bench b;
			open_bench(&b, 500 * KW);
			b.rig.house_w = 250 * KW;
			for (int i = 0; i < 600; i++) {
				b.rig.gpus_w = level_w - (b.rig.now_ms % period_ms < period_ms / 4) * 220 * KW;
				step_in_turn(&b);
				assert_no_lie(&b);
			}
		}
	(void)unused;
}

/* The GPUs do not rise any more, and a meter begins to lie: the site is never farther over its cap than what the miners'
 * own error and the little that no other meter sees can hide, and a suspected site's meter wakes nobody. */
static void a_lie_never_puts_the_site_far_over(void **unused)
{
	struct chance c = { seed_of() + 1, 0 };
	uint32_t verdicts = 0;
	for (int site = 0; site < 200; site++) {
		struct bench b;
		random_bench(&c, &b);
		struct life life = new_life(&c, &b);
		for (int i = 0; i < 800; i++)
			sound_step(&c, &b, &life, true);
		life.house_w = life.house_w > 60 * KW ? 60 * KW : life.house_w;
		life.cooling_permille = 0;
		switch (upto(&c, 5)) {
		case 0: b.lies.site_permille = 300 + upto(&c, 650); break;
		case 1: b.lies.site_permille = 1100 + upto(&c, 9000); break;
		case 2: b.lies.pdu_permille = 100 + upto(&c, 3000); break;
		case 3: b.lies.swapped = true; break;
		case 4: b.lies.frozen_pdus = true; break;
		case 5: b.lies.exchanged = true; break;
		}
		limit(&b, POLICY_NONE);
		for (int i = 0; i < 2000; i++) {
			sound_step(&c, &b, &life, false);
			limit(&b, POLICY_NONE);
			bool settled = i > 80;
			if (settled && true_w(&b) > RIG_CAP_W * 115 / 100)
				fail_msg("site %d: %lld W at step %d", site, (long long)true_w(&b), i);
			if (on_site(&b) != LIE_NONE)
				assert_true(!b.rig.out.n_commands || !b.rig.out.commands[0].hash);
		}
		verdicts += on_site(&b) != LIE_NONE || on_hpc(&b) != LIE_NONE;
	}
	printf("%u of 200 lies noticed\n", verdicts);
	assert_true(verdicts > 60);
	(void)unused;
}

/* Nor where much of it has no meter, but for those few whose moves tell which it is. */
static void a_lie_about_what_has_no_meter_wakes_few(void **unused)
{
	struct chance c = { seed_of() + 2, 0 };
	uint32_t verdicts = 0, gaps = 0;
	for (int site = 0; site < 200; site++) {
		struct bench b;
		random_bench(&c, &b);
		struct life life = new_life(&c, &b);
		life.house_w = 60 * KW + upto(&c, 340) * KW;
		life.cooling_permille = 0;
		for (int i = 0; i < 1200; i++)
			sound_step(&c, &b, &life, false);
		b.lies.swapped = upto(&c, 2) == 0;
		b.lies.site_permille = b.lies.swapped ? 0 : 300 + upto(&c, 650);
		bool gap = false;
		for (int i = 0; i < 2000; i++) {
			sound_step(&c, &b, &life, false);
			limit(&b, POLICY_NONE);
			gap |= fusion(&b)->gap.since_ms > 0;
			if (i > 80 && true_w(&b) > RIG_CAP_W * 120 / 100 && rig_miners_w(&b.rig) > RIG_CAP_W * 15 / 100)
				fail_msg("site %d: %lld W at step %d", site, (long long)true_w(&b), i);
		}
		verdicts += on_site(&b) != LIE_NONE;
		gaps += gap;
	}
	printf("%u of 200 lies noticed, %u first as gaps\n", verdicts, gaps);
	assert_true(verdicts > 60 && gaps > 20);
	(void)unused;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sound_sites_are_not_accused),
		cmocka_unit_test(dips_between_readings_are_no_leaps),
		cmocka_unit_test(a_lie_never_puts_the_site_far_over),
		cmocka_unit_test(a_lie_about_what_has_no_meter_wakes_few),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
