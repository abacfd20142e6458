package dev.sluice.rollout.task;

/** What a result is for: the first one of a (group, round) counts, whatever its attempt. */
record GroupKey(String groupId, int round) {}
