#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/fast_main.h"

struct player {
	const struct fast_options *options;
	struct fast_case *cases;
	struct fast_result *results;
	size_t n;
	atomic_size_t next;
};

/* ---- which cases ---- */

static int add_case(struct player *player, const struct fast_file *file, const char *path, size_t fleet, char *why, size_t size)
{
	struct fast_case made;
	struct fast_result result = { 0 };
	int err = fast_case_make(&made, file, fleet, player->options->traces, why, size);
	if (err < 0)
		return err;
	made.whole |= player->options->whole;
	made.prefer = player->options->prefer;
	fast_case_take_solved(&made, path);
	memcpy(result.name, made.name, sizeof result.name);
	if (err > 0)
		snprintf(result.skipped, sizeof result.skipped, "%.*s", (int)sizeof result.skipped - 1, why);
	player->cases = realloc(player->cases, (player->n + 1) * sizeof *player->cases);
	player->results = realloc(player->results, (player->n + 1) * sizeof *player->results);
	if (!player->cases || !player->results)
		abort();
	player->cases[player->n] = made;
	player->results[player->n++] = result;
	return 0;
}

static bool wanted(const struct fast_options *options, const struct fast_file *file, size_t fleet)
{
	char name[80];
	snprintf(name, sizeof name, "%s %s-%zu", file->name, file->fleets[fleet].kind, file->fleets[fleet].n);
	return !options->only || strstr(name, options->only);
}

static int gather(struct player *player, char *why, size_t size)
{
	int err = 0;
	struct fast_file *file = malloc(sizeof *file);
	if (!file)
		abort();
	for (size_t p = 0; !err && p < player->options->n_paths; p++) {
		err = fast_file_read(file, player->options->paths[p], why, size);
		for (size_t f = 0; !err && f < file->n_fleets; f++)
			if (wanted(player->options, file, f))
				err = add_case(player, file, player->options->paths[p], f, why, size);
	}
	free(file);
	return err;
}

/* ---- playing them ---- */

static void plot(const struct player *player, size_t i, const struct fast_run *run)
{
	char path[600];
	snprintf(path, sizeof path, "%s/%s.svg", player->options->svg_dir, player->cases[i].name);
	for (char *c = strrchr(path, '/'); *c; c++)
		if (*c == ' ')
			*c = '-';
	FILE *out = fopen(path, "we");
	if (!out) {
		fprintf(stderr, "mulletsim: %s: cannot be written\n", path);
		return;
	}
	fast_plot(&player->cases[i], run, player->results[i].of, out);
	if (fclose(out) != 0)
		fprintf(stderr, "mulletsim: %s: cannot be written\n", path);
}

static bool wants(const struct player *player, size_t i, enum fast_control control)
{
	unsigned controls = player->options->controls;
	if (controls && !(controls >> control & 1))
		return false;
	switch (control) {
	case FAST_TOLD:
		return player->cases[i].n_notices > 0;
	case FAST_48:
	case FAST_12:
		return player->options->wear.cycles_per_day == 0;
	case FAST_LEFT:
	case FAST_THRESHOLD:
	case FAST_POLICY:
	case FAST_NO_FORECAST:
	case N_FAST_CONTROLS:
		break;
	}
	return true;
}

static struct fast_wear wear_of(const struct player *player, enum fast_control control)
{
	if (control != FAST_48 && control != FAST_12)
		return player->options->wear;
	return fast_wear_of(control == FAST_48 ? 48 : 12);
}

static void play_case(struct player *player, size_t i)
{
	struct limits limits;
	struct fast_score load;
	bool known = false;
	if (*player->results[i].skipped)
		return;
	limits_make(&limits, &player->cases[i]);
	for (unsigned c = 0; c < N_FAST_CONTROLS; c++) {
		struct fast_run run;
		if (!wants(player, i, (enum fast_control)c))
			continue;
		struct fast_wear wear = wear_of(player, (enum fast_control)c);
		player->results[i].played[c] = true;
		fast_run(&player->cases[i], (enum fast_control)c, &wear, &run);
		if (!known)
			fast_score_load(&player->cases[i], &limits, &run, &load);
		known = true;
		player->results[i].of[c] = load;
		fast_score_run(&player->cases[i], &limits, &run, &player->results[i].of[c]);
		if (c == FAST_POLICY && player->options->svg_dir)
			plot(player, i, &run);
		fast_run_free(&run);
	}
	limits_free(&limits);
}

static void *work(void *of)
{
	struct player *player = of;
	for (size_t i; (i = atomic_fetch_add(&player->next, 1)) < player->n;)
		play_case(player, i);
	return NULL;
}

struct fast_result *fast_play(const struct fast_options *options, size_t *n, char *why, size_t size)
{
	enum { MOST = 64 };
	pthread_t threads[MOST];
	struct player player = { .options = options };
	int n_threads = options->threads ? options->threads : (int)sysconf(_SC_NPROCESSORS_ONLN), started = 0;
	int err = gather(&player, why, size);
	if (!err && player.n == 0) {
		err = -1;
		snprintf(why, size, "no case's name contains \"%s\"", options->only ? options->only : "");
	}
	for (; !err && started < n_threads && started < MOST; started++)
		if (pthread_create(&threads[started], NULL, work, &player) != 0)
			break;
	if (!err && started == 0)
		work(&player);
	for (int t = 0; t < started; t++)
		pthread_join(threads[t], NULL);
	for (size_t i = 0; i < player.n; i++)
		if (!*player.results[i].skipped)
			fast_case_free(&player.cases[i]);
	free(player.cases);
	*n = player.n;
	if (!err)
		return player.results;
	free(player.results);
	return NULL;
}
