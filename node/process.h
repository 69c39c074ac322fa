// SPDX-License-Identifier: Apache-2.0
// The threads of a running process and how they end. The main thread is the control thread: its loop takes signals,
// the runtime API and reloads; the workers serve traffic.
#ifndef PHX_NODE_PROCESS_H
#define PHX_NODE_PROCESS_H

#include <stdbool.h>

struct worker;

// What others do at the turning points, on the control thread. Any may be NULL.
struct process_hooks {
    void (*reload)(void);                   // SIGHUP, SIGUSR2
    void (*soft_stop)(void);                // SIGUSR1: accept nothing any more
    bool (*is_idle)(void);                  // while stopping: nothing is left to be finished
    int hard_stop_after_ms;                 // after the soft stop; -1 = never
    int grace_ms;                           // between the signal and the soft stop
    void (*ending)(void);                   // the end began, workers still run
    void (*worker_setup)(struct worker *w); // on each worker's thread before its first turn
    // For each worker once all are joined, with worker_self set to it: ends what is still open.
    void (*worker_teardown)(struct worker *w);
};

// How many workers `nbthread` asks for: 0 = one a processor that this process may use.
unsigned process_thread_count(int nbthread);
// Creates the loops: control, for the calling thread, and the workers, not started yet. Blocks the signals that the
// control thread takes. False: complained.
bool process_create(unsigned nworkers);
struct worker *process_control(void);
// Starts the workers and turns until the end. Returns when all workers are joined. False: a thread did not start.
bool process_run(const struct process_hooks *hooks);
// From the control thread: ends process_run().
void process_stop(void);
bool process_is_stopping(void); // the soft stop began
// Frees loops; after everything that was on them.
void process_destroy(void);

#endif
