/* tests/luxos_bench.h - what a LuxOS miner is asked, and a stage for one (tests/scripted_stage.h). */
#ifndef TESTS_LUXOS_BENCH_H
#define TESTS_LUXOS_BENCH_H

#include "tests/scripted_stage.h"

#define POLL     "{\"command\":\"power+config+summary\"}"
#define TABLES   "{\"command\":\"version+profiles\"}"
#define POWER    "{\"command\":\"power\"}"
#define CONFIG   "{\"command\":\"config\"}"
#define SUMMARY  "{\"command\":\"summary\"}"
#define VERSION  "{\"command\":\"version\"}"
#define PROFILES "{\"command\":\"profiles\"}"
#define LOGON    "{\"command\":\"logon\"}"
#define SESSION  "{\"command\":\"session\"}"
#define CURTAIL(what) "{\"command\":\"curtail\",\"parameter\":\"" what "\"}"
#define PROFILE(what) "{\"command\":\"profileset\",\"parameter\":\"" what "\"}"
#define ATM(what)     "{\"command\":\"atmset\",\"parameter\":\"" what "\"}"

#define FIRST_POLL { POLL, "luxos_poll", SAY_AND_CLOSE }, { TABLES, "luxos_tables", SAY_AND_CLOSE }

#define STAGE(acts, ...) stage_open("luxos", acts, sizeof acts / sizeof *acts, (struct miner_conf){ __VA_ARGS__ })

#endif
