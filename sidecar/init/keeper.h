/* What answers in init's place for processes that outlive the agent. */
#ifndef INSCOPE_KEEPER_H
#define INSCOPE_KEEPER_H

/* Leave a process behind that lets every call of the remaining processes go on, until none is left. Otherwise their
 * calls would fail with ENOSYS as soon as init ends. Nothing is recorded any more. */
void keeper_leave(int listener);

#endif
