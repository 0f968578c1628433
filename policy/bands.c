#include "policy/bands.h"

/* tan(pi SLOT_S / period), of the periods of 10, 60 and 600 s at which bands meet. */
static const double corner[FORETELL_BANDS - 1] = { 0.158384440, 0.026185922, 0.002617999 };

/* Butterworth of the twelfth order, in six sections (Oppenheim and Schafer, Discrete-Time Signal Processing, 7.1): edges
 * as sharp as those of the bands that a site is judged by, for what leaks in from beside them would be guarded too. */
static double section(double *state, double k, double damping, bool high, double x)
{
	double norm = 1 / (1 + k * damping + k * k), gain = high ? norm : k * k * norm;
	double y = gain * x + state[0];
	state[0] = (high ? -2 : 2) * gain * x - 2 * (k * k - 1) * norm * y + state[1];
	state[1] = gain * x - (1 - k * damping + k * k) * norm * y;
	return y;
}

static double filtered(double stages[BANDS_STAGES][2], double k, bool high, double x)
{
	static const double damping[BANDS_STAGES] = { 1.982889723, 1.847759065, 1.586706681, 1.217522858, 0.765366865, 0.261052384 };
	for (int s = 0; s < BANDS_STAGES; s++)
		x = section(stages[s], k, damping[s], high, x);
	return x;
}

/* What is quicker than the band's own longest period, and slower than its shortest. */
double bands_pass(struct policy_bands *bands, int band, double x)
{
	if (band > 0)
		x = filtered(bands->low[band - 1], corner[band - 1], false, x);
	return band < FORETELL_BANDS - 1 ? filtered(bands->high[band], corner[band], true, x) : x;
}
