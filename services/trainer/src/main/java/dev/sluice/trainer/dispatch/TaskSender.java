package dev.sluice.trainer.dispatch;

import dev.sluice.events.GroupTask;
import java.util.concurrent.CompletableFuture;

/** Sends tasks to rollout instances; the future fails where a task may not have arrived. */
@FunctionalInterface
public interface TaskSender {
    CompletableFuture<?> send(GroupTask task);
}
