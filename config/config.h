/* config/config.h - the site file, read whole: either a complete config or the list of all that is wrong.
 *
 * Names of drivers and their own options are checked by the wiring, which knows them; every entry that the
 * wiring may have to refuse keeps its mark. All strings live in the config's own memory. */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/policy.h"              /* POLICY_NONE, enum measures, struct policy_window */

#define CONFIG_MAX_BYTES (1 << 20)
#define CONFIG_MAX_DEPTH 16
#define CONFIG_MAX_DEVICES 100000       /* of all groups together */
#define CONFIG_MAX_FAULTS 1000          /* listed; more are counted */
#define CONFIG_MAX_LABELS 16            /* that choose samples of a metric */

struct mark { int32_t line, column; };  /* 1-based; 0: no place */

/* ---- faults ---- */
struct fault_list {
	char *file;
	struct config_fault { struct mark at; char *text; } *items;     /* text: "path.to.key: what is wrong; what would be right" */
	size_t n, dropped;
};
void fault_list_init(struct fault_list *, const char *file);
/* path NULL or empty: none. */
void fault_list_add(struct fault_list *, struct mark, const char *path, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
void fault_list_sort(struct fault_list *);      /* by place */
void fault_list_free(struct fault_list *);
/* One line into buf as FILE:LINE:COLUMN: TEXT; returns its length as snprintf does. */
size_t fault_format(const struct fault_list *, size_t i, char *buf, size_t size);

/* ---- what the file says ---- */
struct register_conf {                  /* one quantity; type empty: the device has none */
	struct mark at;
	char type[12];                  /* "float32" */
	uint8_t function;
	uint16_t address;
	bool low_word_first;
	double scale;                   /* to W, Wh, Hz: unit and scale of the file multiplied */
	bool absent_all_ones, absent_largest, absent_smallest;
};
struct register_map_conf {
	const char *name;               /* of the catalogue; NULL: in place */
	struct register_conf power, energy, frequency;
	uint16_t max_read;
	bool no_gaps;
};

struct oid_conf {                       /* one quantity; oid NULL: the device has none */
	const char *oid, *digits, *status;      /* numbers with dots between them; NULL: none */
	uint64_t good;                  /* bit i: status i */
	char unit, absent;              /* of the file; scale holds the unit already; 'n': negative */
	bool sum;                       /* oid, digits and status are columns */
	double scale;                   /* to W, Wh, Hz */
};
struct oid_map_conf {
	const char *name;               /* of the catalogue; NULL: in place */
	struct oid_conf power, energy, frequency;
};
struct snmp_conf {
	struct mark at;                 /* line 0: not told */
	struct mark auth_at, privacy_at;
	bool v3;                        /* else 2c */
	const char *community, *community_file;
	const char *user, *auth, *auth_file, *privacy, *privacy_file;   /* secrets are read by the wiring */
	uint8_t retries;
};

struct label_conf { const char *name, *value; };        /* value empty: of samples without it */
struct prometheus_conf {                /* a page of metrics */
	struct mark at;                 /* line 0: not told */
	const char *metric, *path;
	struct label_conf *labels;
	size_t n_labels;
	bool https;
	const char *ca;                 /* NULL: whom the system trusts */
	char unit;                      /* of the file; scale holds it already */
	double scale;                   /* to W */
	uint32_t expect;                /* samples that must match */
	int64_t collected_every_ms, averaged_over_ms;
};

struct meter_group_conf {
	const char *name;
	struct mark at, driver_at, registers_at, oids_at, host_at;
	enum measures measures;
	const char *driver;
	const char **hosts;             /* hostlist, spelt out */
	const char **names;             /* "pdu/1", or just "main" */
	size_t n_hosts;
	uint16_t port;
	uint8_t unit;
	struct register_map_conf registers;
	struct oid_map_conf oids;
	struct snmp_conf snmp;
	struct prometheus_conf prometheus;
	int64_t every_ms, timeout_ms, stale_after_ms;
	int64_t averaged_over_ms;       /* the site's: 0 where each value is of an instant */
	int64_t nameplate_w;            /* 0: not told */
	const char *backup_of;          /* NULL: of none */
	int16_t backup_of_index;        /* in meters[]; -1: of none */
	uint32_t baud;                  /* serial lines: 0 where not told */
	char parity;                    /* 'N', 'E', 'O'; 0 where not told */
};

enum session_habit { SESSION_KEEP, SESSION_ON_DEMAND };
struct miner_group_conf {
	const char *name;
	struct mark at, driver_at, wake_at, partial_at;
	const char *driver;
	const char **hosts;
	const char **names;
	size_t n_hosts;
	uint16_t port;
	int64_t nominal_w;              /* 0: not told */
	int64_t partial_w;              /* the least one is run at while hashing; 0: only on and off */
	int64_t asleep_w;
	int64_t efficiency_mj_per_th;   /* 0: not told */
	int64_t priority;
	uint32_t per_circuit;           /* so many in a row stand on one circuit; 0: not told */
	struct mark per_circuit_at;
	const char *feeder;             /* all of them stand on it, with the other groups that name it; NULL: not told */
	int64_t min_awake_ms, min_asleep_ms;
	int64_t cycles_per_day;         /* 0: no bound */
	int64_t every_ms, timeout_ms;
	const char *wake;               /* how to wake, in the driver's words; NULL: its default */
	enum session_habit session;
	bool steer;                     /* false: watched, never commanded; holds where steer_told */
	bool steer_told;
	/* told response; -1: the driver's typical one */
	int64_t sleep_delay_ms, sleep_ramp_ms, wake_delay_ms, wake_ramp_ms, power_delay_ms, power_ramp_ms;
};

enum signal_format { SIGNAL_ORDER, SIGNAL_TARGET };
enum when_stale { WHEN_STALE_CURTAIL, WHEN_STALE_HOLD, WHEN_STALE_RELEASE };
struct signal_conf {
	const char *name;
	struct mark at;
	enum signal_format format;
	const char *topic;              /* NULL: PREFIX/SITE/order/NAME */
	int64_t stale_after_ms;         /* target only */
	enum when_stale when_stale;
};

struct mqtt_conf {
	bool present;
	struct mark at;
	const char *host;
	uint16_t port;
	const char *tls_ca, *tls_cert, *tls_key;        /* NULL: plain TCP */
	const char *username, *password_file;           /* the file's name; the secret is read by the wiring */
	/* Files are relative to where the site file is, and stand here as they are to be opened. */
	const char *prefix;
};

struct config {
	const char *file;
	const char *site_name;
	int64_t cap_w;
	int64_t target_w, reserve_w;    /* POLICY_NONE: auto */
	enum prefer prefer;
	bool forecast;                  /* the load's own past may say where it goes */
	int64_t ramp_up_w_per_min, ramp_down_w_per_min;         /* 0: none */
	struct policy_window windows[POLICY_WINDOWS];
	size_t n_windows;
	uint32_t connections;           /* to miners at a time; 0: as descriptors allow */
	struct meter_group_conf *meters;
	struct miner_group_conf *miners;
	struct signal_conf *signals;
	size_t n_meters, n_miners, n_signals;
	struct mqtt_conf mqtt;
	bool hpc_plan;                  /* the GPU scheduler's notices are taken */
	void *memory;                   /* where all of it lives */
};

/* Reads FILE; maps named in it come from registers/ and oids/ of the directories in `catalogue`
 * (NULL-terminated, first hit wins).
 * Returns the config, or NULL with at least one fault added. */
struct config *config_read(const char *file, const char *const *catalogue, struct fault_list *);
void config_free(struct config *);

/* The same table in words: every key with kind, units, bounds, default and help; for --help-config. */
void config_print_keys(void (*put)(void *self, const char *line), void *self);

#endif
