// Values over time: exploration rates and learning rates.
#include <deepq/agent.h>

#include <math.h>

double dq_schedule_at(const dq_schedule *schedule, int64_t ticks) {
    double t = (double)ticks - schedule->delay, start = schedule->start, end = schedule->end;
    if (t <= 0) return start;
    switch (schedule->kind) {
    case DQ_SCHEDULE_CONSTANT:
        return start;
    case DQ_SCHEDULE_LINEAR:
        return t < schedule->period ? start + (end - start) * (t / schedule->period) : end;
    case DQ_SCHEDULE_EXPONENTIAL:
        return end + (start - end) * exp(-t / schedule->period);
    case DQ_SCHEDULE_MULTIPLIED:
        return fmax(end, start * pow(schedule->factor, t));
    }
    return start;
}
