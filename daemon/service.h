/* daemon/service.h - the daemon as it runs: everything opened in order, closed in reverse, reloaded in between. */
#ifndef DAEMON_SERVICE_H
#define DAEMON_SERVICE_H

#include "daemon/bus.h"
#include "daemon/control.h"
#include "daemon/kept.h"
#include "daemon/retained.h"
#include "daemon/state_file.h"
#include "daemon/wire.h"

struct service_conf {
	const char *file;               /* the site's YAML; read again on SIGHUP */
	const char *socket;             /* of mulletctl; NULL: none */
	const char *state;              /* directory in which to remember over a restart; NULL: not remembered */
	bool dry_run;
};

/* Reads and wires a file; the catalogue of register maps is looked for beside it, in /etc/mulletd, where it was
 * installed and where it was built. NULL: the faults tell. */
struct wired *service_read(const char *file, struct fault_list *faults);

/* Whether the files that the configuration names can be read; else the faults tell. */
bool service_check_files(const struct config *, struct fault_list *faults);

/* Runs until SIGTERM or SIGINT. Takes `wired` over. Returns the exit code. */
int service_run(const struct service_conf *, struct wired *);

/* ---- only for daemon/service*.c ---- */

struct kept_file {                      /* of the two that outlast a restart */
	struct service *service;
	struct state_file file;
	const char *unwritten, *discarded;      /* alarms … */
	const char *what;               /* … and what is in it */
	char *text;                     /* written last; NULL: it is not on the disk */
	int64_t written_ms;
	char *aside;                    /* one that was discarded, while it is there; NULL: none */
	uv_fs_t look;
	bool looking;
};

struct service {
	const struct service_conf *conf;
	uv_loop_t loop;
	struct wired *wired, *next;     /* next: being swapped in */
	char *password;
	struct retained retained;       /* before the bus, or nowhere */
	struct bus *bus;
	uv_timer_t look_timer;          /* while the broker hands back what is retained in the site's name */
	uv_timer_t aside_timer;         /* dry run: until it is clear that nobody is in charge */
	uint64_t lost;                  /* messages, as told last */
	bool in_charge_seen;            /* dry run: another mulletd is at the broker, and no dry run */
	struct control *control;
	struct alarms *alarms;
	struct signals *signals;
	struct plan *plan;              /* NULL: hpc.plan is off */
	bool plan_refused;              /* its topic, by the broker */
	struct meter_room *meters;
	struct miner_room *miners;
	struct site *site;
	uv_timer_t step_timer, poll_timer, stop_timer, end_timer;
	uv_check_t turn;                /* steps at the end of the turn in which the site's meter spoke */
	uv_signal_t hup, term, intr;
	struct kept_file learned, orders;       /* state.json, large and seldom written; orders.json, small, with each change */
	uv_timer_t keep_timer;
	struct kept left;               /* of the site, when it was left */
	uint64_t orders_kept;           /* signals_changes, as written last */
	uint64_t seq_reserved, seq_asked;       /* on the disk; in what is being written */
	int64_t step_due_ms, watchdog_ms, fed_ms, status_ms;
	bool step_now, reloading, reload_again, stopping;
};

void service_answer(void *self, const char *verb, const cJSON *args, struct json *out, char *error, size_t error_size);
bool service_reload(struct service *);          /* false: the file is wrong, the old one stays in force */
/* For a reload: NULL, logged and with the alarm raised, where the old configuration has to stay. */
struct wired *service_read_again(struct service *);
/* ---- service_bus.c ---- */
void service_open_bus(struct service *);        /* where the file names a broker; before anything is said */
void service_subscribe(struct service *);       /* to what the signals obey */
void service_tell_lost(struct service *);       /* with each step */
void service_say_offline(struct service *, const char *why);
/* ---- service_keep.c: over a restart ---- */
void service_recall(struct service *);  /* before the site's start: what an earlier run kept; keeps on from here */
void service_keep_orders(struct service *);     /* after each step: if they have changed */
void service_keep_site(struct service *);       /* at the end of the site, no number is reserved; written … */
void service_keep(struct service *);    /* … when no message can come any more */
bool service_keep_busy(const struct service *); /* something is being written */
void service_keep_free(struct service *);

bool service_password(struct service *);        /* of the broker, if it takes one; false: it cannot be read */

#endif
