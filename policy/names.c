#include "policy/policy.h"

const char *reason_name(enum reason reason)
{
	switch (reason) {
	case REASON_NONE:      return "none";
	case REASON_CAP:       return "cap";
	case REASON_SHED:      return "shed";
	case REASON_TARGET:    return "target";
	case REASON_RAMP:      return "ramp";
	case REASON_EVENT:     return "event";
	case REASON_FREQUENCY: return "frequency";
	case REASON_PRICE:     return "price";
	case REASON_FAILSAFE:  return "failsafe";
	case REASON_OPERATOR:  return "operator";
	case REASON_STARTUP:   return "startup";
	case N_REASONS:        break;
	}
	return "unknown";
}

const char *deed_name(enum deed deed)
{
	switch (deed) {
	case DEED_SLEEP: return "sleep";
	case DEED_WAKE:  return "wake";
	case DEED_POWER: return "power";
	case N_DEEDS:    break;
	}
	return "unknown";
}

const char *binding_name(enum binding binding)
{
	switch (binding) {
	case BINDING_NONE:            return "none";
	case BINDING_CAP:             return "cap";
	case BINDING_LIMIT:           return "limit";
	case BINDING_RESERVE:         return "reserve";
	case BINDING_RISE:            return "rise";
	case BINDING_PLAN:            return "plan";
	case BINDING_TARGET:          return "target";
	case BINDING_SETPOINT:        return "setpoint";
	case BINDING_MINERS_LIMIT:    return "miners_limit";
	case BINDING_RAMP_UP:         return "ramp_up";
	case BINDING_RAMP_DOWN:       return "ramp_down";
	case BINDING_WINDOW:          return "window";
	case BINDING_MIN_AWAKE:       return "min_awake";
	case BINDING_MIN_ASLEEP:      return "min_asleep";
	case BINDING_CYCLES:          return "cycles";
	case BINDING_WAKES_IN_FLIGHT: return "wakes_in_flight";
	case BINDING_RUNNING_RESERVE: return "running_reserve";
	case BINDING_METER_LOST:      return "meter_lost";
	case BINDING_METER_GAP:       return "meter_gap";
	case BINDING_NO_MINERS:       return "no_miners";
	case N_BINDINGS:              break;
	}
	return "unknown";
}

const char *phase_name(enum miner_phase phase)
{
	switch (phase) {
	case PHASE_UNKNOWN:     return "unknown";
	case PHASE_AWAKE:       return "awake";
	case PHASE_WAKING:      return "waking";
	case PHASE_FALLING:     return "falling_asleep";
	case PHASE_ASLEEP:      return "asleep";
	case PHASE_UNREACHABLE: return "unreachable";
	case PHASE_FAULTY:      return "faulty";
	case N_PHASES:          break;
	}
	return "unknown";
}
