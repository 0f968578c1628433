/* daemon/ctl_canvas.h - a sheet of cells to draw on, and its way out as text. No terminal is touched here.
 *
 * What is drawn outside the sheet is not drawn. Text is UTF-8; what could move the cursor, turn the direction of
 * writing or be wider than a cell is drawn as '?', and so is all that is not ASCII on an ASCII sheet, where the
 * drawing's own signs have a plain twin. */
#ifndef DAEMON_CTL_CANVAS_H
#define DAEMON_CTL_CANVAS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ink {
	INK_PLAIN, INK_BOLD, INK_FAINT,
	INK_SITE, INK_HPC, INK_MINERS, INK_OTHER, INK_CAP, INK_TARGET,
	INK_AWAKE, INK_WAKING, INK_FALLING, INK_ASLEEP, INK_UNREACHABLE, INK_FAULTY,
	INK_GOOD, INK_WARNING, INK_ALARM,
	N_INKS
};

enum colours { COLOURS_NONE, COLOURS_16, COLOURS_256 };

struct cell { uint32_t sign; uint8_t ink; };

struct canvas {
	int width, height;
	bool ascii;
	struct cell *cells;             /* width * height, row by row */
};

void canvas_init(struct canvas *, int width, int height, bool ascii);   /* blank; width and height at least 1 */
void canvas_free(struct canvas *);

/* Returns the column after what was drawn, cut at the width or at `until`, where a longer text ends in "…". */
int canvas_text(struct canvas *, int row, int column, enum ink, const char *text);
int canvas_text_until(struct canvas *, int row, int column, int until, enum ink, const char *text);
int canvas_format(struct canvas *, int row, int column, enum ink, const char *format, ...)
	__attribute__((format(printf, 5, 6)));
void canvas_text_right(struct canvas *, int row, int end, enum ink, const char *text);  /* ends before `end` */

/* Wraps at spaces into columns [column, until) of at most max_rows rows, the last cut with "…". Returns rows used. */
int canvas_wrap(struct canvas *, int row, int column, int until, int max_rows, enum ink, const char *text);

void canvas_sign(struct canvas *, int row, int column, enum ink, uint32_t sign, char plain);
void canvas_rule(struct canvas *, int row, int column, int until, enum ink);
int canvas_columns(const char *text);   /* how many cells it takes */
size_t text_that_fits(const char *text, int n);         /* bytes that fit into n cells; no word is broken that would fit a line */
void clean_text(char *text);            /* the same '?' for what goes out without a sheet; in place */

/* The sheet as text, `newline` between rows, blanks at their ends left out; with_blank_rows false: rows up to the last
 * that is not blank. Behind each row comes `clear` (may be ""): what erases the rest of a terminal's line.
 * The caller frees. */
char *canvas_print(const struct canvas *, enum colours, const char *clear, const char *newline, bool with_blank_rows);

#endif
