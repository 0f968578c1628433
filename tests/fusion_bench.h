/* tests/fusion_bench.h - a site of which some meters, or the miners themselves, tell what is not so. */
#ifndef TESTS_FUSION_BENCH_H
#define TESTS_FUSION_BENCH_H

#include "tests/policy_says.h"

#include "policy/internal.h"
#include "sim/dice.h"

#define KW  1000LL
#define SEC 1000LL
#define ALL RIG_MINERS

struct lies {                           /* zero: all tell the truth, but for … */
	int64_t site_permille, pdu_permille;    /* 0: 1000 */
	int64_t own_permille[2];        /* … what miners of each group say, 0: 1000 */
	int64_t pdu_error_permille[2];  /* … each PDU's own error */
	int64_t unmetered_permille;     /* of the GPUs, by no PDU */
	bool swapped;                   /* the site's meter shows what GPUs draw, … */
	bool exchanged;                 /* … and the first PDU what all the others do not */
	bool frozen_pdus;
	int64_t leap_w;                 /* of the site's next value; 0: none */
	bool leaps;
};

struct bench { struct rig rig; struct lies lies; int64_t pdus_w[2]; uint64_t n; };

static inline int64_t scaled(int64_t w, int64_t permille) { return permille ? w * permille / 1000 : w; }

/* What flickers: a meter that shows the very same again and again is a frozen one. */
static inline int64_t flicker_w(struct bench *b, uint64_t what)
{
	return (int64_t)(dice(7, what, b->n) % 200);
}

static inline void spoil(struct bench *b)
{
	struct rig *rig = &b->rig;
	const struct lies *lies = &b->lies;
	for (int p = 0; p < 2 && !rig->mute[RIG_PDU_1 + p]; p++) {
		int64_t w = scaled(rig->meters[RIG_PDU_1 + p].import_w, 1000 + lies->pdu_error_permille[p] - lies->unmetered_permille);
		if (lies->exchanged && !p)
			w += rig->meters[RIG_MAIN].import_w - rig->gpus_w;
		if (!lies->frozen_pdus)
			b->pdus_w[p] = scaled(w, lies->pdu_permille) + flicker_w(b, 1 + (uint64_t)p);
		rig->meters[RIG_PDU_1 + p].import_w = b->pdus_w[p];
	}
	int64_t *site_w = &rig->meters[RIG_MAIN].import_w;
	*site_w = scaled(lies->swapped || lies->exchanged ? rig->gpus_w : *site_w, lies->site_permille) + flicker_w(b, 9);
	if (lies->leaps)
		*site_w = lies->leap_w;
	for (uint32_t i = 0; i < ALL; i++)
		rig->seen[i].reading.power_w = (int32_t)scaled(rig->seen[i].reading.power_w, lies->own_permille[rig->miner_group[i]]);
}

static inline void look(struct bench *b)
{
	b->n++;
	b->rig.now_ms += RIG_STEP_MS;
	rig_read(&b->rig);
	spoil(b);
}

static inline void step(struct bench *b)
{
	look(b);
	rig_decide(&b->rig);
}

static inline void run(struct bench *b, int64_t ms)
{
	for (int64_t end_ms = b->rig.now_ms + ms; b->rig.now_ms < end_ms; )
		step(b);
}

static inline void open_bench(struct bench *b, int64_t gpus_w)
{
	*b = (struct bench){ .n = 0 };
	rig_init(&b->rig, gpus_w, ALL);
	b->rig.house_w = 10 * KW;
	run(b, 90 * SEC);
}

static inline const struct fusion *fusion(const struct bench *b) { return &b->rig.state.fusion; }
static inline enum lie on_site(const struct bench *b) { return (enum lie)fusion(b)->on_site.lie; }
static inline enum lie on_hpc(const struct bench *b) { return (enum lie)fusion(b)->on_hpc.lie; }

static inline void assert_no_lie(const struct bench *b)
{
	assert_int_equal(on_site(b), LIE_NONE);
	assert_int_equal(on_hpc(b), LIE_NONE);
}

static inline int64_t true_w(const struct bench *b)
{
	return b->rig.gpus_w + b->rig.house_w + rig_miners_w(&b->rig);
}

/* Runs until there is a verdict; how long that took, in s. */
static inline int64_t until(struct bench *b, enum lie site, enum lie hpc, int64_t most_s)
{
	int64_t begin_ms = b->rig.now_ms;
	while ((on_site(b) != site || on_hpc(b) != hpc) && b->rig.now_ms - begin_ms < most_s * SEC)
		step(b);
	if (on_site(b) != site || on_hpc(b) != hpc)
		fail_msg("of the site %d, of the GPUs %d (enum lie) after %lld s", on_site(b), on_hpc(b), (long long)most_s);
	return (b->rig.now_ms - begin_ms) / SEC;
}

static inline void limit(struct bench *b, int64_t limit_w)
{
	b->rig.demand.limit_w = b->rig.demand.limit_soon_w = limit_w;
}

#endif
