/* The lower parts of the screens: miners by state, totals, decisions. */
#include <stdio.h>
#include <string.h>

#include "daemon/ctl_parts.h"

#define LEFT 1

static const struct { const char *name, *brief; enum ink ink; uint32_t sign; char plain; bool always; } phases[N_SHOWN] = {
	[SHOWN_AWAKE]       = { "awake",          "awake",       INK_AWAKE,       0x2588, '#', true },
	[SHOWN_PARTIAL]     = { "at less",        "less",        INK_AWAKE,       0x2586, '%', false },
	[SHOWN_WAKING]      = { "waking",         "waking",      INK_WAKING,      0x2593, '+', true },
	[SHOWN_FALLING]     = { "falling asleep", "falling",     INK_FALLING,     0x2592, '-', true },
	[SHOWN_ASLEEP]      = { "asleep",         "asleep",      INK_ASLEEP,      0x2591, '.', true },
	[SHOWN_UNREACHABLE] = { "unreachable",    "unreachable", INK_UNREACHABLE, '?',    '?', false },
	[SHOWN_FAULTY]      = { "faulty",         "faulty",      INK_FAULTY,      '!',    '!', false },
};

/* Shares of the bar, each at least one cell where there is a miner at all; the largest pays for it. */
static void share_cells(const int64_t counts[N_SHOWN], int cells, int shares[N_SHOWN])
{
	int64_t all = 0;
	int used = 0, largest = 0;
	for (int i = 0; i < N_SHOWN; i++)
		all += counts[i];
	for (int i = 0; i < N_SHOWN; i++) {
		shares[i] = all > 0 ? (int)(counts[i] * cells / all) : 0;
		if (shares[i] == 0 && counts[i] > 0)
			shares[i] = 1;
		used += shares[i];
		if (counts[i] > counts[largest])
			largest = i;
	}
	if (all > 0)
		shares[largest] += cells - used;
}

/* Where miners run at partial power, those awake are told apart. */
static const char *phase_name_of(const struct ctl_model *model, int phase, bool narrow)
{
	if (phase == SHOWN_AWAKE && model->has_partial)
		return narrow ? "full" : "at full power";
	return narrow ? phases[phase].brief : phases[phase].name;
}

/* Draws the counts with so many blanks between, or only tells the column after them: row -1 is not on the sheet. */
static int phase_counts(struct canvas *canvas, int row, int gap, bool zeros, const struct ctl_model *model)
{
	int column = LEFT;
	for (int i = 0; i < N_SHOWN; i++) {
		bool always = i == SHOWN_PARTIAL ? model->has_partial : phases[i].always;
		if (model->phases[i] == 0 && !(always && zeros))
			continue;
		char text[48];
		snprintf(text, sizeof(text), "%lld %s", (long long)model->phases[i],
		         phase_name_of(model, i, canvas->width < 100));
		if (row >= 0) {
			canvas_sign(canvas, row, column, phases[i].ink, phases[i].sign, phases[i].plain);
			canvas_text(canvas, row, column + 2, model->phases[i] ? INK_PLAIN : INK_FAINT, text);
		}
		column += 2 + canvas_columns(text) + gap;
	}
	return column - gap;
}

int part_miners(struct canvas *canvas, int row, const struct ctl_model *model)
{
	int shares[N_SHOWN];
	int column = LEFT, until = canvas->width - 1, gap = 3;
	share_cells(model->phases, until - LEFT, shares);
	for (int i = 0; i < N_SHOWN; i++)
		for (int n = 0; n < shares[i]; n++)
			canvas_sign(canvas, row, column++, phases[i].ink, phases[i].sign, phases[i].plain);
	bool zeros = phase_counts(canvas, -1, gap, true, model) <= until;
	while (gap > 2 && phase_counts(canvas, -1, gap, zeros, model) > until)
		gap--;
	phase_counts(canvas, row + 1, gap, zeros, model);
	return row + 2;
}

int part_totals(struct canvas *canvas, int row, const struct ctl_model *model)
{
	char site[24], hpc[24], miners[24], line[256];
	if (model->site_wh != FIGURE_UNKNOWN || model->miners_wh != FIGURE_UNKNOWN)
		canvas_format(canvas, row++, LEFT, INK_PLAIN, "Energy    site %s \302\267 GPUs %s \302\267 miners %s",
		              format_energy(model->site_wh, site, sizeof(site)), format_energy(model->hpc_wh, hpc, sizeof(hpc)),
		              format_energy(model->miners_wh, miners, sizeof(miners)));
	int n = snprintf(line, sizeof(line), "Service   mulletd %s", *model->version ? model->version : "?");
	if (model->n_decisions != FIGURE_UNKNOWN)
		n += snprintf(line + n, sizeof(line) - (size_t)n, " \302\267 %lld decisions", (long long)model->n_decisions);
	if (model->n_commands != FIGURE_UNKNOWN)
		n += snprintf(line + n, sizeof(line) - (size_t)n, " \302\267 %lld commands", (long long)model->n_commands);
	if (*model->broker)
		snprintf(line + n, sizeof(line) - (size_t)n, " \302\267 broker %s",
		         strcmp(model->broker, "none") == 0 ? "not configured" : model->broker);
	canvas_text(canvas, row, LEFT, strcmp(model->broker, "away") == 0 ? INK_WARNING : INK_PLAIN, line);
	return row + 1;
}

static enum ink reason_ink(const char *reason)
{
	static const char *const grave[] = { "cap", "shed", "failsafe", "frequency" };
	static const char *const ordered[] = { "event", "operator", "price" };
	for (size_t i = 0; i < sizeof(grave) / sizeof(*grave); i++)
		if (strcmp(reason, grave[i]) == 0)
			return INK_ALARM;
	for (size_t i = 0; i < sizeof(ordered) / sizeof(*ordered); i++)
		if (strcmp(reason, ordered[i]) == 0)
			return INK_WARNING;
	return INK_TARGET;
}

/* "-24 +3 ~5": how many were put to sleep, woken, and told another power. */
static void moves_text(const struct shown_decision *decision, char *buf, size_t size)
{
	const struct { const char *sign; int64_t n; } moves[] = {
		{ "\342\210\222", decision->sleeps }, { "+", decision->wakes }, { "~", decision->powers },
	};
	size_t used = 0;
	buf[0] = '\0';
	for (size_t i = 0; i < sizeof(moves) / sizeof(*moves) && used < size; i++)
		if (moves[i].n != FIGURE_UNKNOWN && moves[i].n > 0)
			used += (size_t)snprintf(buf + used, size - used, "%s%s%lld", used ? " " : "", moves[i].sign, (long long)moves[i].n);
}

static int one_decision(struct canvas *canvas, int row, int rows, const struct shown_decision *decision)
{
	char clock[9], moves[80], why[660];
	canvas_text(canvas, row, LEFT, INK_FAINT, clock_of(decision->time, clock));
	canvas_text_until(canvas, row, LEFT + 10, LEFT + 18, reason_ink(decision->reason), decision->reason);
	moves_text(decision, moves, sizeof(moves));
	canvas_text_until(canvas, row, LEFT + 19, LEFT + 27, INK_PLAIN, moves);
	snprintf(why, sizeof(why), "%s%s", decision->dry_run ? "(dry run) " : "", decision->why);
	int used = canvas_wrap(canvas, row, LEFT + 28, canvas->width - 1, rows, INK_PLAIN, why);
	return row + (used > 0 ? used : 1);
}

int part_decisions(struct canvas *canvas, int row, int max_rows, int rows_each, int max_decisions,
                   const struct ctl_model *model)
{
	int until = row + max_rows;
	if (model->n_seen_decisions == 0 && max_rows > 0)
		canvas_text(canvas, row, LEFT, INK_FAINT, model->heard ? "none yet" : "");
	for (int i = 0; i < max_decisions && i < model->n_seen_decisions && row < until; i++) {
		int rows = until - row < rows_each ? until - row : rows_each;
		row = one_decision(canvas, row, rows, &model->decisions[model->n_seen_decisions - 1 - i]);
	}
	return row;
}
