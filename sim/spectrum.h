/* sim/spectrum.h - the mean square of a series by frequency.
 *
 * The series is followed by its mirror image, so that its end meets its begin and a drift over the whole of it does not
 * pass for fast movement; the mean square stays what it was. Of its Fourier components k = 1, 2, … the k-th has the
 * period 2 n step / k, and all together have the variance (Parseval). At most 7 in 100 values at the end are left out,
 * so that n is a product of 2, 3 and 5. */
#ifndef SIM_SPECTRUM_H
#define SIM_SPECTRUM_H

#include <stddef.h>

struct spectrum {
	double *power;                  /* of component k, square watts; power[0] is 0; owned */
	size_t n;                       /* components */
	double hz;                      /* of component 1 */
};
void spectrum_make(struct spectrum *, const double *x, size_t n, double step_s);
void spectrum_free(struct spectrum *);

/* Root mean square of what lies in periods from short_s on and below long_s (INFINITY: all longer). */
double spectrum_rms(const struct spectrum *, double short_s, double long_s);

#endif
