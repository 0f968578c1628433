/* What miners keep under perfect foresight of the whole scenario, as a linear program: sim/scenarios/foresight.
 *
 * For each type g of miners and each step of time t: s and w, the watts told to sleep and to wake, each once; a, those told
 * to be awake; d, those drawn. Told watts fall and rise as the plant's miners do, spread and all; foresight tells them their
 * dead time ahead, so that is left out:
 *     a[t] = a[t-1] - s[t] + w[t],   d[t] = d[t-1] - sum over k of s[t-k] fall[k] + sum over k of w[t-k] rise[k],
 *     0 <= a, d <= fleet of g,   sum over g of d[t] <= what limit, set point and price leave beside the load at t.
 * Most d on average after the first ten minutes wins. A miner may turn round on its way, which real ones do at a cost, and
 * where it begins is free: the result is a little more than anybody could keep.
 *
 * Steps are 1 s, or 2 s: coarser ones lose what fits between peaks. What is left in a step is the least in the halves of a
 * step around it, at 200 ms. Where the solver gives up, and for a whole day, the two passes of sim/limits.h stand: they came
 * within 3 % of every program solved at 1 s. Needs libglpk-dev; the product does not. */
#include <glpk.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/fast_main.h"
#include "tests/foresight/each_case.h"

struct type { double fleet_w, fall[256], rise[256]; int n_fall, n_rise, s, w, a, d; };  /* s, w, a, d: column before the first */
struct program {
	glp_prob *lp;
	struct type types[FAST_TYPES];
	int n_types, steps, rows, n_cells;
	int *row, *column;
	double *value;
	int room;
};

static void cell(struct program *p, int row, int column, double value)
{
	if (p->n_cells + 2 > p->room) {
		p->room = p->room ? 2 * p->room : 1 << 16;
		p->row = realloc(p->row, (size_t)p->room * sizeof *p->row);
		p->column = realloc(p->column, (size_t)p->room * sizeof *p->column);
		p->value = realloc(p->value, (size_t)p->room * sizeof *p->value);
		if (!p->row || !p->column || !p->value)
			abort();
	}
	p->n_cells++;
	p->row[p->n_cells] = row;
	p->column[p->n_cells] = column;
	p->value[p->n_cells] = value;
}

/* Increments of the share done, a step of time each, without the dead time. */
static int kernel(const struct fast_case *of, size_t t, bool hash, int64_t step_ms, double *out)
{
	const struct plant_miner_type *type = of->types[t];
	struct plant plant;
	double from_w = 0, to_w = 0, before = 0;
	int64_t dead_ms = (hash ? type->wake_dead_ms : type->sleep_dead_ms) * 9 / 10;
	int64_t over_ms = (hash ? type->wake_ramp_ms * 3 / 2 : type->sleep_fall_ms) * 12 / 10;
	int n = (int)(over_ms / step_ms) + 2;
	plant_init(&plant, of->seed);
	plant_add(&plant, type, 200);
	for (size_t i = 0; i < plant.n; i++) {
		if (hash)
			plant_start_asleep(&plant, i);
		from_w += hash ? plant.miners[i].asleep_w : plant.miners[i].full_w;
		to_w += hash ? plant.miners[i].full_w : plant.miners[i].asleep_w;
	}
	for (size_t i = 0; i < plant.n; i++)
		plant_order(&plant, i, 0, hash, 0);
	for (int k = 0; k < n; k++) {
		double done = k == n - 1 ? 1 : ((double)plant_miners_w(&plant, dead_ms + (k + 1) * step_ms) - from_w) / (to_w - from_w);
		out[k] = done - before;
		before = done;
	}
	plant_free(&plant);
	return n;
}

static void add_columns(struct program *p, struct type *type, int from)
{
	int first = glp_add_cols(p->lp, 4 * p->steps);
	type->s = first;
	type->w = first + p->steps;
	type->a = first + 2 * p->steps;
	type->d = first + 3 * p->steps;
	for (int t = 0; t < p->steps; t++) {
		glp_set_col_bnds(p->lp, type->s + t, t ? GLP_LO : GLP_FX, 0, 0);
		glp_set_col_bnds(p->lp, type->w + t, t ? GLP_LO : GLP_FX, 0, 0);
		glp_set_col_bnds(p->lp, type->a + t, GLP_DB, 0, 1);
		glp_set_col_bnds(p->lp, type->d + t, GLP_DB, 0, 1);
		if (t >= from)
			glp_set_obj_coef(p->lp, type->d + t, type->fleet_w);
	}
}

/* All in shares of the type's fleet. At the first step nobody moves. */
static void add_rows(struct program *p, const struct type *type)
{
	int row = glp_add_rows(p->lp, 2 * p->steps);
	for (int t = 0; t < p->steps; t++) {
		int told = row + 2 * t, drawn = told + 1;
		glp_set_row_bnds(p->lp, told, GLP_FX, 0, 0);
		glp_set_row_bnds(p->lp, drawn, GLP_FX, 0, 0);
		cell(p, told, type->a + t, 1);
		cell(p, drawn, type->d + t, 1);
		if (t == 0) {
			cell(p, drawn, type->a, -1);
			cell(p, told, type->d, -1);
			continue;
		}
		cell(p, told, type->a + t - 1, -1);
		cell(p, told, type->s + t, 1);
		cell(p, told, type->w + t, -1);
		cell(p, drawn, type->d + t - 1, -1);
		for (int k = 0; k < type->n_fall && k < t; k++)
			cell(p, drawn, type->s + t - k, type->fall[k]);
		for (int k = 0; k < type->n_rise && k < t; k++)
			cell(p, drawn, type->w + t - k, -type->rise[k]);
	}
}

static void add_limits(struct program *p, const double *left_w)
{
	int row = glp_add_rows(p->lp, p->steps);
	for (int t = 0; t < p->steps; t++) {
		glp_set_row_bnds(p->lp, row + t, GLP_UP, 0, left_w[t] / 1e6);
		for (int g = 0; g < p->n_types; g++)
			cell(p, row + t, p->types[g].d + t, p->types[g].fleet_w / 1e6);
	}
}

static double solve(const struct fast_case *of, const double *left_w, int steps, int64_t step_ms, int from)
{
	static struct program program;
	struct program *p = &program;
	double most = NAN;
	*p = (struct program){ .lp = glp_create_prob(), .steps = steps, .n_types = (int)of->n_types };
	glp_set_obj_dir(p->lp, GLP_MAX);
	for (int g = 0; g < p->n_types; g++) {
		struct type *type = &p->types[g];
		type->fleet_w = (double)of->n_of[g] * of->types[g]->full_w;
		type->n_fall = kernel(of, (size_t)g, false, step_ms, type->fall);
		type->n_rise = kernel(of, (size_t)g, true, step_ms, type->rise);
		add_columns(p, type, from);
		add_rows(p, type);
	}
	add_limits(p, left_w);
	glp_load_matrix(p->lp, p->n_cells, p->row, p->column, p->value);
	glp_iptcp parameters;
	glp_init_iptcp(&parameters);
	parameters.msg_lev = GLP_MSG_OFF;
	if (glp_interior(p->lp, &parameters) == 0 && glp_ipt_status(p->lp) == GLP_OPT)
		most = glp_ipt_obj_val(p->lp) / (steps - from) / (double)of->fleet_w;
	glp_delete_prob(p->lp);
	free(p->row);
	free(p->column);
	free(p->value);
	return most;
}

/* What the miners may draw at most, at each step. */
static double *left_of(const struct fast_case *of, int steps, int64_t step_ms)
{
	static const struct fast_wear lifted;
	struct fast_run run;
	int each = (int)(step_ms / FAST_STEP_MS);
	double *left_w = malloc((size_t)steps * sizeof *left_w);
	if (!left_w)
		abort();
	fast_run(of, FAST_LEFT, &lifted, &run);
	for (int t = 0; t < steps; t++)
		left_w[t] = (double)of->fleet_w;
	for (size_t i = 0; i < run.n; i++) {
		double allowed_w = limits_allowed_w(of, &run, i);
		int t = ((int)i + each / 2) / each;
		if (t < steps)
			left_w[t] = fmin(left_w[t], fmax(allowed_w, 0));
	}
	fast_run_free(&run);
	return left_w;
}

static double solve_at(const struct fast_case *of, int64_t step_ms)
{
	int steps = (int)(of->lasts_ms / step_ms);
	double *left_w = left_of(of, steps, step_ms);
	double most = solve(of, left_w, steps, step_ms, (int)(FAST_LEARN_MS / step_ms));
	free(left_w);
	return most;
}

/* A wake of two minutes has too many terms at a second each. */
static void solve_case(const struct fast_file *file, size_t fleet, const struct fast_case *of)
{
	bool slow = strcmp(file->fleets[fleet].kind, "slow") == 0;
	bool long_one = of->lasts_ms > 7200000;
	double most = NAN;
	int64_t step_ms = slow ? 2000 : 1000;
	for (; !long_one && step_ms <= 2000 && isnan(most); step_ms *= 2)
		most = solve_at(of, step_ms);
	if (isnan(most))
		printf("# %s: not solved\n", of->name);
	else
		printf("%s = %.5f at %d s\n", of->name, most, (int)(step_ms / 2000));
	fflush(stdout);
}

int main(int argc, char **argv)
{
	puts("# What perfect foresight keeps: the share of the fleet's watts after ten minutes. Made by make foresight.");
	return each_case(argc, argv, solve_case);
}
