#include "policy/paper.h"

#include "policy/bands.h"
#include "policy/internal.h"

enum { BANDS = FORETELL_BANDS, PAST = FORETELL_PAST };

#define FADES_SLOTS 3600.0

void paper_see(struct policy_paper *paper, double load_w, double kept_w, const struct following *by)
{
	paper->newest = (paper->newest + 1) % PAST;
	paper->kept_w[paper->newest] = kept_w;
	if (++paper->n <= PAST)
		return;
	double n = (double)(paper->n - PAST) < FADES_SLOTS ? (double)(paper->n - PAST) : FADES_SLOTS;
	double site_w = load_w - following_w(by, paper->kept_w, paper->newest);
	paper->mean_w += (site_w - paper->mean_w) / n;
	for (int b = 0; b < BANDS; b++) {
		double w = bands_pass(&paper->bands, b, site_w - paper->mean_w);
		paper->left[b] += (w * w - paper->left[b]) / n;
	}
}

double paper_moves_w(const struct policy_paper *paper, const struct policy_foretell *f)
{
	double sum = 0, lifted_w = 0;
	for (int b = 0; b < BANDS; b++) {
		double own = foretell_power(f, b), left = paper->left[b];
		if (left > own && b < BANDS - 1)
			lifted_w += root_of(left) - root_of(own);
		sum += left > own && b == BANDS - 1 ? own : left;
	}
	return root_of(sum) + lifted_w;
}
