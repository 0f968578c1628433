#include "policy/rhythm.h"

#include "policy/internal.h"

#define GAP_MS          3000    /* without a value for so long, what was under way is not known */
#define SLACK_MS        1000    /* meters are read each second: edges are known no finer */
#define SHORTEST_MS     5000    /* of a dip */
#define LONGEST_MS      (10 * 60000)
#define SHORTEST_PERIOD_MS (3 * SHORTEST_MS)
#define LONGEST_PERIOD_MS (6 * 3600000)
#define PROOFS          3       /* in a row, then it is believed; more where chance would often be right */
#define MISSES          3       /* in a row, then the train is forgotten */
#define MORE_PART       8       /* larger than what is kept free by such a part of that, a rise is none of those it is for */
#define NEVER           UINT8_MAX       /* of proofs */

/* In per mille of the cap; each a quarter deeper than the one before. */
static const int32_t depth_permille[RHYTHM_LEVELS] = {
	30, 38, 47, 59, 73, 92, 114, 143, 179, 224, 279, 349, 437, 546, 682, 853
};

static int64_t depth(int64_t cap_w, size_t level)
{
	return cap_w / 1000 * depth_permille[level];
}

/* By how much a fall may miss its time and still be the one foretold. */
static int64_t tolerance(int64_t period_ms)
{
	return 1000 + period_ms / 64;
}

static bool alike(int64_t a_ms, int64_t b_ms)
{
	return abs64(a_ms - b_ms) <= 1000 + max64(a_ms, b_ms) / 4;
}

static bool believed(const struct rhythm_train *train)
{
	return train->period_ms && train->proofs >= train->needed;
}

/* ---- what the last dips of a train allow to be foretold ---- */

struct span { int64_t least_ms, most_ms; };

static struct span span_of(const int32_t *past_ms, uint8_t n)
{
	struct span span = { INT64_MAX, INT64_MIN };
	for (uint8_t i = 0; i < n; i++) {
		span.least_ms = min64(span.least_ms, past_ms[i]);
		span.most_ms = max64(span.most_ms, past_ms[i]);
	}
	int64_t beyond_ms = (span.most_ms - span.least_ms) / 2 + SLACK_MS;
	return (struct span){ span.least_ms - beyond_ms, span.most_ms + beyond_ms };
}

static int64_t latest_fall(const struct rhythm_train *train)
{
	return train->due_ms + span_of(train->error_ms, train->n_past).most_ms;
}

static struct span rise_of(const struct rhythm_train *train, int64_t fell_ms)
{
	struct span lasts = span_of(train->lasts_ms, train->n_past);
	return (struct span){ fell_ms + lasts.least_ms, fell_ms + lasts.most_ms };
}

/* ---- trains ---- */

static void remember(struct rhythm_train *train, int64_t error_ms, int64_t lasts_ms)
{
	train->newest = train->n_past ? (train->newest + 1) % RHYTHM_PAST : 0;
	train->error_ms[train->newest] = (int32_t)error_ms;
	train->lasts_ms[train->newest] = (int32_t)lasts_ms;
	if (train->n_past < RHYTHM_PAST)
		train->n_past++;
}

/* How often such a dip would come in time by chance, at the rate they came of late, decides how often that must be seen. */
static uint8_t proofs_needed(const struct rhythm_level *level, int64_t period_ms, int64_t lasts_ms)
{
	int64_t newest_ms = level->dips[level->newest].fell_ms, oldest_ms = newest_ms, n = 0;
	for (uint8_t i = 0; i < level->n_dips; i++)
		if (alike(level->dips[i].lasts_ms, lasts_ms)) {
			oldest_ms = min64(oldest_ms, level->dips[i].fell_ms);
			n++;
		}
	int64_t apart_ms = n > 1 ? (newest_ms - oldest_ms) / (n - 1) : 0;
	int64_t times = min64(apart_ms, period_ms) / (2 * tolerance(period_ms));
	return times >= 24 ? PROOFS : times >= 12 ? PROOFS + 1 : times >= 6 ? PROOFS + 2 : times >= 3 ? PROOFS + 5 : NEVER;
}

/* A dip at this train's time has ended. False: it was none of the train's, which may still come. */
static bool judge(struct rhythm_train *train, int64_t fell_ms, int64_t lasts_ms)
{
	int64_t error_ms = fell_ms - train->due_ms;
	bool early = fell_ms + lasts_ms < rise_of(train, fell_ms).least_ms;
	train->dipping = false;
	if (early)
		train->proofs = 0;
	if (!alike(lasts_ms, train->lasts_ms[train->newest]))
		return false;
	train->proofs += !early && train->proofs < NEVER - 1;
	train->misses = 0;
	remember(train, error_ms, lasts_ms);
	train->period_ms += (int32_t)(error_ms / 4);
	train->due_ms = fell_ms + train->period_ms;
	return true;
}

static void watch_time(const struct rhythm_level *level, struct rhythm_train *train, int64_t now_ms)
{
	if (!train->period_ms)
		return;
	if (train->dipping) {           /* it lasts: what it would rise to cannot be foretold any longer */
		if (now_ms > rise_of(train, level->fell_ms).most_ms + tolerance(train->period_ms))
			train->proofs = 0;
		return;
	}
	if (now_ms > latest_fall(train))
		train->proofs = 0;
	if (now_ms <= train->due_ms + tolerance(train->period_ms))
		return;
	train->proofs = 0;
	train->due_ms += train->period_ms;
	if (++train->misses >= MISSES)
		*train = (struct rhythm_train){ 0 };
}

/* ---- finding them ---- */

static const struct rhythm_dip *dip_at(const struct rhythm_level *level, int64_t fell_ms, int64_t within_ms, int64_t lasts_ms)
{
	for (uint8_t i = 0; i < level->n_dips; i++)
		if (abs64(level->dips[i].fell_ms - fell_ms) <= within_ms && alike(level->dips[i].lasts_ms, lasts_ms))
			return &level->dips[i];
	return NULL;
}

/* A free place, or that of a train that has failed; NULL: none, or one beats this time already. */
static struct rhythm_train *room_for(struct rhythm_level *level, int64_t period_ms, int64_t due_ms)
{
	struct rhythm_train *room = NULL;
	for (size_t t = 0; t < RHYTHM_TRAINS; t++) {
		struct rhythm_train *train = &level->trains[t];
		if (train->period_ms && abs64(train->due_ms - due_ms) <= tolerance(period_ms))
			return NULL;
		bool given_up = !train->period_ms || (train->misses && !believed(train));
		if (given_up && (!room || train->misses > room->misses || !train->period_ms))
			room = train;
	}
	return room;
}

/* The newest dip, one before it and one as far before that. The shortest distance comes first. */
static void seek(struct rhythm_level *level)
{
	const struct rhythm_dip *last = &level->dips[level->newest];
	for (uint8_t age = 1; age < level->n_dips; age++) {
		const struct rhythm_dip *one = &level->dips[(level->newest + RHYTHM_DIPS - age) % RHYTHM_DIPS];
		int64_t period_ms = last->fell_ms - one->fell_ms;
		if (period_ms < SHORTEST_PERIOD_MS || period_ms > LONGEST_PERIOD_MS || !alike(one->lasts_ms, last->lasts_ms))
			continue;
		const struct rhythm_dip *two = dip_at(level, one->fell_ms - period_ms, tolerance(period_ms), last->lasts_ms);
		if (!two)
			continue;
		int64_t even_ms = (last->fell_ms - two->fell_ms) / 2;
		struct rhythm_train *train = room_for(level, even_ms, last->fell_ms + even_ms);
		if (!train)
			return;
		*train = (struct rhythm_train){ .period_ms = (int32_t)even_ms, .due_ms = last->fell_ms + even_ms,
		                                .needed = proofs_needed(level, even_ms, last->lasts_ms) };
		remember(train, one->fell_ms - two->fell_ms - even_ms, two->lasts_ms);
		remember(train, period_ms - even_ms, one->lasts_ms);
		remember(train, 0, last->lasts_ms);
		return;
	}
}

/* ---- dips ---- */

static void fall(struct rhythm_level *level, int64_t top_w, int64_t line_w, int64_t at_ms)
{
	level->below = true;
	level->fell_ms = at_ms;
	level->top_w = top_w;
	level->line_w = line_w;
	for (size_t t = 0; t < RHYTHM_TRAINS; t++) {
		struct rhythm_train *train = &level->trains[t];
		train->dipping = train->period_ms && abs64(train->due_ms - at_ms) <= tolerance(train->period_ms);
	}
}

static void rise(struct rhythm_level *level, int64_t before_w, int64_t at_ms)
{
	int64_t lasts_ms = at_ms - level->fell_ms;
	bool foretold = false;
	level->below = false;
	for (size_t t = 0; t < RHYTHM_TRAINS; t++)
		if (level->trains[t].dipping)
			foretold |= judge(&level->trains[t], level->fell_ms, lasts_ms);
	if (lasts_ms < SHORTEST_MS)
		return;
	level->newest = (level->newest + 1) % RHYTHM_DIPS;
	level->dips[level->newest] = (struct rhythm_dip){ .fell_ms = level->fell_ms, .lasts_ms = (int32_t)lasts_ms,
	                                                     .from_w = level->line_w - before_w };
	level->rose_ms = at_ms;
	if (level->n_dips < RHYTHM_DIPS)
		level->n_dips++;
	if (!foretold)
		seek(level);
}

static void watch_rise(struct rhythm_level *level, int64_t highest_w, int64_t ahead_ms, int64_t now_ms)
{
	struct rhythm_dip *dip = &level->dips[level->newest];
	if (!level->rose_ms)
		return;
	dip->rose_w = max64(dip->rose_w, highest_w - level->line_w);
	if (now_ms - level->rose_ms > ahead_ms)
		level->rose_ms = 0;
}

/* Nobody knows what was between: nothing under way is judged, and all have to prove themselves again. */
static void lose_thread(struct rhythm_level *level)
{
	level->rose_ms = 0;
	level->below = false;
	for (size_t t = 0; t < RHYTHM_TRAINS; t++) {
		level->trains[t].dipping = false;
		level->trains[t].proofs = 0;
	}
}

void rhythm_learn(struct rhythm *rhythm, int64_t highest_w, int64_t top_w, int64_t cap_w, int64_t ahead_ms, int64_t now_ms)
{
	bool gap = now_ms - rhythm->last_ms > GAP_MS || now_ms < rhythm->last_ms;
	int64_t since_ms = gap ? now_ms : rhythm->last_ms;
	rhythm->last_ms = now_ms;
	for (size_t l = 0; l < RHYTHM_LEVELS; l++) {
		struct rhythm_level *level = &rhythm->levels[l];
		if (gap || (level->below && now_ms - level->fell_ms > LONGEST_MS))
			lose_thread(level);
		if (!level->below && highest_w < top_w - depth(cap_w, l))
			fall(level, top_w, top_w - depth(cap_w, l), now_ms);
		else if (level->below && highest_w > level->line_w)
			rise(level, rhythm->last_w, since_ms);
		watch_rise(level, highest_w, ahead_ms, now_ms);
		for (size_t t = 0; t < RHYTHM_TRAINS; t++)
			watch_time(level, &level->trains[t], now_ms);
	}
	rhythm->last_w = highest_w;
}

/* ---- what is foretold ---- */

/* To where it rises when such a dip ends, as after those before; 0: by no more than such rises as kept_w is for. */
static int64_t rises_to_w(const struct rhythm_level *level, int64_t kept_w)
{
	int64_t above_w = 0, by_w = 0;
	for (uint8_t i = 0; i < level->n_dips; i++) {
		above_w = max64(above_w, level->dips[i].rose_w);
		by_w = max64(by_w, level->dips[i].from_w + level->dips[i].rose_w);
	}
	return by_w > kept_w + kept_w / MORE_PART ? min64(level->line_w + above_w, level->top_w) : 0;
}

int64_t rhythm_rise(const struct rhythm *rhythm, int64_t kept_w, int64_t ahead_ms, int64_t now_ms)
{
	int64_t highest_w = 0;
	for (size_t l = 0; l < RHYTHM_LEVELS; l++)
		for (size_t t = 0; t < RHYTHM_TRAINS; t++) {
			const struct rhythm_level *level = &rhythm->levels[l];
			const struct rhythm_train *train = &level->trains[t];
			if (believed(train) && train->dipping && rise_of(train, level->fell_ms).least_ms <= now_ms + ahead_ms)
				highest_w = max64(highest_w, rises_to_w(level, kept_w));
		}
	return highest_w;
}
