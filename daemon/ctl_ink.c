/* How a sheet becomes text: signs as UTF-8, inks as the terminal's colours. */
#include <stdio.h>
#include <string.h>

#include "daemon/ctl_canvas.h"
#include "daemon/xalloc.h"

/* Of the 16 colours those are used that are legible on dark and light ground alike. */
static const struct { const char *of_16, *of_256; } colours_of[N_INKS] = {
	[INK_PLAIN]       = { "", "" },
	[INK_BOLD]        = { "1", "1" },
	[INK_FAINT]       = { "2", "38;5;244" },
	[INK_SITE]        = { "", "" },
	[INK_HPC]         = { "34", "38;5;75" },
	[INK_MINERS]      = { "33", "38;5;214" },
	[INK_OTHER]       = { "2", "38;5;246" },
	[INK_CAP]         = { "31", "38;5;203" },
	[INK_TARGET]      = { "36", "38;5;79" },
	[INK_AWAKE]       = { "33", "38;5;214" },
	[INK_WAKING]      = { "32", "38;5;150" },
	[INK_FALLING]     = { "36", "38;5;109" },
	[INK_ASLEEP]      = { "34", "38;5;61" },
	[INK_UNREACHABLE] = { "35", "38;5;133" },
	[INK_FAULTY]      = { "31", "38;5;203" },
	[INK_GOOD]        = { "32", "38;5;114" },
	[INK_WARNING]     = { "33", "38;5;221" },
	[INK_ALARM]       = { "1;31", "1;38;5;203" },
};

struct text { char *bytes; size_t len, size; };

static void put(struct text *text, const char *bytes, size_t n)
{
	if (text->len + n + 1 > text->size) {
		text->size = (text->len + n + 1) * 2;
		text->bytes = xrealloc(text->bytes, text->size);
	}
	memcpy(text->bytes + text->len, bytes, n);
	text->len += n;
	text->bytes[text->len] = '\0';
}

static void put_sign(struct text *text, uint32_t c)
{
	char bytes[3];
	if (c < 0x80) {
		bytes[0] = c ? (char)c : ' ';
		put(text, bytes, 1);
	} else if (c < 0x800) {
		bytes[0] = (char)(0xC0 | c >> 6);
		bytes[1] = (char)(0x80 | (c & 0x3F));
		put(text, bytes, 2);
	} else {
		bytes[0] = (char)(0xE0 | c >> 12);
		bytes[1] = (char)(0x80 | (c >> 6 & 0x3F));
		bytes[2] = (char)(0x80 | (c & 0x3F));
		put(text, bytes, 3);
	}
}

static const char *colour_code(enum colours colours, uint8_t ink)
{
	switch (colours) {
	case COLOURS_NONE: return "";
	case COLOURS_16:   return colours_of[ink].of_16;
	case COLOURS_256:  return colours_of[ink].of_256;
	}
	return "";
}

static int last_column(const struct canvas *canvas, int row)
{
	const struct cell *cells = canvas->cells + row * canvas->width;
	int n = canvas->width;
	while (n > 0 && (cells[n - 1].sign == 0 || cells[n - 1].sign == ' '))
		n--;
	return n;
}

static void put_row(struct text *text, const struct canvas *canvas, int row, enum colours colours)
{
	const char *now = "";
	int n = last_column(canvas, row);
	for (int i = 0; i < n; i++) {
		const struct cell *cell = &canvas->cells[row * canvas->width + i];
		const char *code = colour_code(colours, cell->ink);
		if (strcmp(code, now) != 0) {
			char escape[32];
			put(text, escape, (size_t)snprintf(escape, sizeof(escape), "\033[0%s%sm", *code ? ";" : "", code));
			now = code;
		}
		put_sign(text, cell->sign);
	}
	if (*now)
		put(text, "\033[0m", 4);
}

char *canvas_print(const struct canvas *canvas, enum colours colours, const char *clear, const char *newline,
                   bool with_blank_rows)
{
	struct text text = { 0 };
	int rows = canvas->height;
	while (!with_blank_rows && rows > 0 && last_column(canvas, rows - 1) == 0)
		rows--;
	put(&text, "", 0);
	for (int row = 0; row < rows; row++) {
		if (row > 0)
			put(&text, newline, strlen(newline));
		put_row(&text, canvas, row, colours);
		put(&text, clear, strlen(clear));
	}
	return text.bytes;
}
